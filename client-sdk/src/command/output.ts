import type { Writable } from 'node:stream'
import { ChatError } from '../connection/errors.ts'
import { UsageError } from './exit-codes.ts'

/** Whoever read this command's output has gone, as `head` does when it has enough. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed'
}

export type Output = ReturnType<typeof createOutput>

/**
 * What moves a terminal's cursor or makes it show something else than was written, as `\u001b`: control characters
 * (C0, DEL, C1), what turns the direction of writing around, and separators of lines and paragraphs. In JSON this changes
 * nothing for whoever parses it, as these stand in texts alone.
 */
const escaped = (line: string): string =>
  line.replace(
    /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** JSON for programs on stdout, words for people on stderr. What others wrote may stand in both. */
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
  const lineOf = (text: string) => `${escaped(text)}\n`
  const say = (words: string, json: object) => stderr.write(lineOf(errorsAreJson ? JSON.stringify(json) : words))

  return {
    /** Words of this program's own, line breaks and all. @throws OutputClosed */
    write,
    /** One line, handed to the system when this returns. @throws OutputClosed */
    print: (value: object) => write(lineOf(JSON.stringify(value))),
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
