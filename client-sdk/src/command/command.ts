import type { Writable } from 'node:stream'
import { UsageError } from './exit-codes.ts'
import type { Input } from './input.ts'
import type { Output } from './output.ts'
import type { SavedSessions } from './saved-sessions.ts'

export interface Option {
  /** What stands behind it in the help, such as `N`; an option without one is a switch. */
  value?: string
  /** One letter that means the same. */
  short?: string
  help: string
}

export interface Command {
  summary: string
  /** The words it takes, by their names in the help; each has to be given. */
  words: string[]
  options: Record<string, Option>
  help: string
  examples: string[]
  run(call: Invocation): Promise<void>
}

export type Values = Record<string, string | boolean | undefined>

/** One call of one command. */
export interface Invocation {
  words: string[]
  values: Values
  /** The server's address, written in one way. */
  server: string
  timeoutMs: number
  environment: NodeJS.ProcessEnv
  stdin: Input
  stderr: Writable
  output: Output
  sessions: SavedSessions
}

/** @throws UsageError */
export const wholeNumber = (values: Values, name: string, min = 0, max = 1e15 - 1): number | undefined => {
  const given = values[name]
  if (given === undefined) return undefined
  if (!/^\d{1,15}$/.test(String(given))) throw new UsageError(`--${name} takes a whole number`)
  if (Number(given) < min) throw new UsageError(`--${name} begins at ${min}`)
  if (Number(given) > max) throw new UsageError(`--${name} is ${max} at most`)
  return Number(given)
}

export const text = (values: Values, name: string): string | undefined => values[name] as string | undefined
