import { commonOptions } from './arguments.ts'
import type { Command, Option } from './command.ts'
import { exitCodes } from './exit-codes.ts'

const table = (rows: [string, string][]): string => {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}

const optionRows = (options: Record<string, Option>): [string, string][] =>
  Object.entries(options).map(([name, { value, short, help }]) => [
    `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`,
    help,
  ])

const commandExitCodes = table(Object.values(exitCodes).map(({ code, means }) => [String(code), means]))

const usageOf = (name: string, command: Command): string => ['parley', name, ...command.words].join(' ')

export const commandHelp = (name: string, command: Command): string => `${usageOf(name, command)} [options]

${command.help}

Options:
${table(optionRows({ ...command.options, ...commonOptions }))}

Examples:
${command.examples.map((example) => `  ${example}`).join('\n')}

Exit codes:
${commandExitCodes}
`

export const globalHelp = (commands: Record<string, Command>): string => `parley COMMAND [options]

A Parley chat server from the shell. Results are JSON on stdout, one object a line; words for people go to stderr.

Commands:
${table(Object.entries(commands).map(([name, command]) => [[name, ...command.words].join(' '), command.summary]))}

parley COMMAND --help tells more of each, with examples.

What others write may hold characters that steer a terminal. This command prints them as \\u001b, and so does jq -a. jq -r
prints them as they are: it is for ids, which are plain ASCII.

Options:
${table(optionRows({ ...commonOptions, version: { help: 'print the version' } }))}

Environment:
${table([
  ['PARLEY_URL', 'the server'],
  ['PARLEY_TOKEN', 'the session to use instead of the saved one; it is never written to a file'],
  ['PARLEY_PASSWORD', 'for register and login; a password is never an argument, since those are public'],
])}

Examples:
  parley register ada                     # asks for a password, and keeps the session
  parley send bob "Hello, Bob"
  parley edit dm:ada:bob:7 "Hello, dear Bob"
  parley history bob | jq -a .text
  parley listen --messages --cursor ada.cursor
  parley send bob "Done" --json-errors 2> error.json || jq .retryAfterMs error.json

Exit codes:
${commandExitCodes}
`
