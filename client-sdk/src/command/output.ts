import type { Writable } from 'node:stream'
import { ChatError } from '../connection/errors.ts'
import { UsageError } from './exit-codes.ts'

/** Whoever read this command's output has gone, as `head` does when it has enough. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed'
}

export type Output = ReturnType<typeof createOutput>

/** JSON for programs on stdout, words for people on stderr. */
export const createOutput = (stdout: Writable, stderr: Writable) => {
  // Each write tells its own error; without listeners it would end the process as well.
  for (const stream of [stdout, stderr]) stream.on('error', () => {})
  let errorsAreJson = false

  const write = (text: string) =>
    new Promise<void>((resolve, reject) => {
      stdout.write(text, (error) => {
        if (!error) resolve()
        else reject((error as NodeJS.ErrnoException).code === 'EPIPE' ? new OutputClosed() : error)
      })
    })
  const say = (words: string, json: object) => stderr.write(errorsAreJson ? `${JSON.stringify(json)}\n` : `${words}\n`)

  return {
    /** @throws OutputClosed */
    write,
    /** One line, handed to the system when this returns. @throws OutputClosed */
    print: (value: object) => write(`${JSON.stringify(value)}\n`),
    /** From here on stderr has JSON lines only. */
    writeErrorsAsJson() {
      errorsAreJson = true
    },
    /** Something to know; the command goes on. */
    notice: (words: string) => say(`parley: ${words}`, { notice: words }),
    /** Why the command ends. */
    error(error: unknown) {
      const facts = factsOf(error)
      const wait = facts.retryAfterMs === undefined ? '' : ` (in ${Math.ceil(facts.retryAfterMs / 1_000)} s)`
      say(`parley: ${facts.message}${wait}`, facts)
    },
  }
}

const factsOf = (error: unknown) => {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof ChatError)) {
    return { kind: error instanceof UsageError ? 'usage' : 'unexpected', message, retryable: false }
  }
  const { kind, retryable, retryAfterMs, issues } = error
  return { kind, message, retryable, retryAfterMs, issues }
}
