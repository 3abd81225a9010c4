import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { ChatError } from '../errors.ts'
import { UsageError } from './exit-codes.ts'

/** What the command reads: a terminal, a pipe or a file. */
export type Input = NodeJS.ReadStream

/** No text or password that a server takes is longer. */
const maxBytes = 64 * 1024

/** All of it. @throws ChatError `tooLarge` @throws UsageError when it is not UTF-8 */
export const readAll = async (input: Input): Promise<string> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of input) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBytes) throw new ChatError('tooLarge', { message: 'What stands on stdin is too long' })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new UsageError('What stands on stdin is not UTF-8')
  }
}

/**
 * A line typed without being shown. Ctrl-C ends the process as it would anywhere else.
 * @throws UsageError when nothing is typed and the terminal is closed (Ctrl-D)
 */
export const askHidden = async (input: Input, prompt: string, show: Writable): Promise<string> => {
  show.write(prompt)
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: hidden, terminal: true, historySize: 0 })
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('close', () => reject(new UsageError('No password was given.')))
      lines.once('SIGINT', () => {
        lines.close()
        process.kill(process.pid, 'SIGINT')
      })
    })
  } finally {
    lines.close()
    show.write('\n')
  }
}
