import { readFileSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { parseArguments, takeCommandName } from './arguments.ts'
import { text, type Values } from './command.ts'
import { commands } from './commands.ts'
import { exitCodeOf, exitCodes, UsageError } from './exit-codes.ts'
import { commandHelp, globalHelp } from './help.ts'
import type { Input } from './input.ts'
import { createOutput, type Output, OutputClosed } from './output.ts'
import { openSavedSessions } from './saved-sessions.ts'
import { serverAddress } from './server.ts'

export interface Surroundings {
  environment: NodeJS.ProcessEnv
  stdin: Input
  stdout: Writable
  stderr: Writable
}

/** Runs the command that the arguments name. @returns its exit code */
export const run = async (args: string[], surroundings: Surroundings): Promise<number> => {
  const output = createOutput(surroundings.stdout, surroundings.stderr)
  try {
    await runCommand(args, surroundings, output)
    return exitCodes.ok.code
  } catch (error) {
    if (error instanceof OutputClosed) return exitCodes.ok.code
    output.error(error)
    return exitCodeOf(error)
  }
}

const runCommand = async (args: string[], { environment, stdin, stderr }: Surroundings, output: Output) => {
  const asked = takeCommandName(args, commands)
  if (asked.wantsJsonErrors) output.writeErrorsAsJson()
  if (asked.wantsVersion && asked.name === undefined) return output.write(`${version()}\n`)
  const isHelp = asked.name === 'help'
  const { name, rest } = isHelp ? takeCommandName(asked.rest, commands) : asked
  if (name === undefined) {
    if (isHelp || asked.wantsHelp) return output.write(globalHelp(commands))
    throw new UsageError('Which command? parley --help lists them')
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) throw new UsageError(`There is no such command${alike(name)}; parley --help lists them`)
  if (isHelp || asked.wantsHelp) return output.write(commandHelp(name, command))

  const { words, values } = parseFor(name, () => parseArguments(rest, command))
  await command.run({
    words,
    values,
    server: serverAddress(text(values, 'url') || environment.PARLEY_URL || 'http://127.0.0.1:3000'),
    timeoutMs: timeoutOf(values),
    environment,
    stdin,
    stderr,
    output,
    sessions: openSavedSessions(environment),
  })
}

/** A name that may have been meant. What was typed is not repeated: it might be a password. */
const alike = (typed: string): string => {
  const letters = (word: string) => [...word].sort().join('')
  const near = Object.keys(commands).find(
    (name) => letters(name) === letters(typed) || (typed.length > 2 && name.startsWith(typed.slice(0, 3))),
  )
  return near ? `. Is it ${near} that you want` : ''
}

const parseFor = <Parsed>(name: string, parse: () => Parsed): Parsed => {
  try {
    return parse()
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${error.message}; see parley ${name} --help`) : error
  }
}

const timeoutOf = (values: Values): number => {
  const seconds = Number(text(values, 'timeout') ?? 20)
  // A longer timer would fire at once.
  if (!(seconds > 0 && seconds <= 86_400)) throw new UsageError('--timeout takes seconds, up to a day')
  return seconds * 1_000
}

/** Of the package that this was built into. */
const version = (): string => JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
