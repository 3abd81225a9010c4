import { parseArgs } from 'node:util'
import type { Command, Option, Values } from './command.ts'
import { UsageError } from './exit-codes.ts'

/** Every command takes these, before its name or behind it. */
export const commonOptions: Record<string, Option> = {
  url: { value: 'URL', help: 'the server; otherwise PARLEY_URL, otherwise http://127.0.0.1:3000' },
  timeout: { value: 'SECONDS', help: 'how long to wait for an answer, connecting included; otherwise 20' },
  'json-errors': { help: 'write what goes to stderr as JSON lines: kind, message, retryable, retryAfterMs' },
  help: { short: 'h', help: 'show this' },
}

/** The name of the command, and the arguments without it. */
export const takeCommandName = (args: string[], commands: Record<string, Command>) => {
  const all = Object.assign({}, commonOptions, ...Object.values(commands).map(({ options }) => options))
  // Not strict: what is wrong is said better when it is known of which command.
  const { tokens } = parseArgs({
    args,
    options: { ...forParseArgs(all), version: { type: 'boolean' } },
    strict: false,
    tokens: true,
  })
  const isGiven = (option: string) => tokens.some((token) => token.kind === 'option' && token.name === option)
  const name = tokens.find((token) => token.kind === 'positional')
  return {
    name: name?.value,
    rest: args.filter((_, index) => index !== name?.index),
    wantsHelp: isGiven('help'),
    wantsVersion: isGiven('version'),
    wantsJsonErrors: isGiven('json-errors'),
  }
}

/** @throws UsageError which repeats no value that was given */
export const parseArguments = (args: string[], command: Command): { words: string[]; values: Values } => {
  const { positionals, values } = parseStrictly(args, { ...commonOptions, ...command.options })
  const missing = command.words[positionals.length]
  if (missing !== undefined) throw new UsageError(`${missing} is missing`)
  if (positionals.length > command.words.length) {
    const advice = { TEXT: ': put the text in quotes', USERNAME: ': a password is never one' }[
      command.words.at(-1) ?? ''
    ]
    throw new UsageError(`There are too many arguments${advice ?? ''}`)
  }
  return { words: positionals, values: values as Values }
}

const parseStrictly = (args: string[], options: Record<string, Option>) => {
  try {
    return parseArgs({ args, options: forParseArgs(options), allowPositionals: true })
  } catch (error) {
    // Its message goes on with advice that fits parseArgs rather than this command.
    throw new UsageError((error as Error).message.split(/[.\n]/, 1)[0])
  }
}

const forParseArgs = (options: Record<string, Option>) =>
  Object.fromEntries(
    Object.entries(options).map(([name, { value, short }]) => [
      name,
      { type: value ? ('string' as const) : ('boolean' as const), ...(short && { short }) },
    ]),
  )
