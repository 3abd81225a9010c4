import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { maxFrameBytes } from '../../../server/contract/protocol.ts'
import { ChatError } from '../connection/errors.ts'
import { UsageError } from './exit-codes.ts'

/** What the command reads: a terminal, a pipe or a file. */
export type Input = NodeJS.ReadStream

/** All of it. @throws ChatError `tooLarge` where no frame could carry it @throws UsageError when it is not UTF-8 */
export const readAll = async (input: Input): Promise<string> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of input) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxFrameBytes) throw new ChatError('tooLarge', { message: 'What stands on stdin is too long' })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new UsageError('What stands on stdin is not UTF-8')
  }
}

/**
 * Lines typed without being shown, one for each prompt. Ctrl-C ends the process as it would anywhere else.
 * @throws UsageError when the terminal is closed (Ctrl-D) before they are typed
 */
export const askHidden = async (input: Input, show: Writable, prompts: string[]): Promise<string[]> => {
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() })
  // From here on the terminal shows nothing. So the prompt comes after it, and all prompts share it.
  const lines = createInterface({ input, output: hidden, terminal: true, historySize: 0 })
  const answers: string[] = []
  const ask = () => show.write(prompts[answers.length] ?? '')
  try {
    return await new Promise<string[]>((resolve, reject) => {
      lines.on('line', (line) => {
        answers.push(line)
        show.write('\n')
        ask()
        if (answers.length === prompts.length) resolve(answers)
      })
      lines.once('close', () => reject(new UsageError('No password was given.')))
      lines.once('SIGINT', () => {
        lines.close()
        show.write('\n')
        process.kill(process.pid, 'SIGINT')
      })
      ask()
    })
  } finally {
    lines.close()
  }
}
