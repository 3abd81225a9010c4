import { Worker } from 'node:worker_threads'
import type { Log } from '../../domain/ports.ts'
import type { Settings } from './connection.ts'
import type { FromWriter, Operation, Outcome, ToWriter } from './operations.ts'
import type { WriterData } from './writer.ts'

/** The thread that owns the database, while it serves. */
export interface WriterThread {
  settings: Settings
  /** The version that was given last when it started. */
  version: number
  /** One at a time. Null: it ended before it answered, and nobody knows what became of it. */
  commit(operations: Operation[], told: number): Promise<Outcome | null>
  /** Resolves with its exit code when it has ended, however that came about. */
  ended: Promise<number>
  /** Resolves when it has ended. */
  close(): Promise<void>
}

/** @throws Error in plain words where the database cannot be opened */
export const startWriterThread = (data: WriterData, log: Log): Promise<WriterThread> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./writer.js', import.meta.url), { workerData: data })
    const send = (message: ToWriter) => worker.postMessage(message)
    let refused = ''
    let answer = (_outcome: Outcome | null) => {}

    const serving = (settings: Settings, version: number): WriterThread => ({
      settings,
      version,
      commit: (operations, told) =>
        new Promise((answered) => {
          answer = answered
          send({ commit: operations, told })
        }),
      ended,
      async close() {
        send({ close: true })
        await ended
      },
    })
    const ended = new Promise<number>((end) => {
      worker.on('exit', (code) => {
        reject(new Error(refused || `The writer of the database ended at start with code ${code}.`))
        answer(null)
        end(code)
      })
    })
    worker.on('error', (error) => log.error({ error }, 'the writer of the database failed'))
    worker.on('message', (message: FromWriter) => {
      if ('committed' in message || 'failed' in message) answer(message)
      else if ('ready' in message) resolve(serving(message.ready, message.version))
      else if ('walBytes' in message)
        log.warn(message, 'the log of the database cannot be cut; another process reads the file')
      else {
        refused = message.refusedToStart
        void worker.terminate()
      }
    })
  })
