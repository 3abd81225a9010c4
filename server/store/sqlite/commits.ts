import { Worker } from 'node:worker_threads'
import { ChatError } from '../../contract/index.ts'
import type { Log } from '../../domain/ports.ts'
import type { Settings } from './connection.ts'
import type { FromWriter, Operation, Reply, Results, ToWriter } from './operations.ts'
import type { WriterData } from './writer.ts'

/** One commit takes at most so many, so that the first of them does not wait long for the last. */
const commitMax = 1_000
/** More waiting than this is seconds of work: refusing is kinder than queueing. */
const waitingMax = 20_000
const failureEveryMs = 1_000

interface Waiting {
  operation: Operation
  resolve(result: never): void
  reject(error: ChatError): void
}

/**
 * Group commit: what is asked for while a commit runs goes into the next, in order. The commits run in a worker
 * thread, so that waiting for the disk stops nobody. A writer that dies takes what was in its hands with it
 * (`unavailable`) and is started again once for each time it had served; the truth is in the file.
 */
export const startCommits = async (data: WriterData, log: Log) => {
  let waiting: Waiting[] = []
  let committing: Waiting[] = []
  let scheduled = false
  let closing: Promise<void> | null = null
  let idle = () => {}
  let writer: Worker | null = null
  let settings: Settings | null = null
  let failureToldAt = Number.NEGATIVE_INFINITY
  const counted = { commits: 0, operations: 0, failedCommits: 0 }

  const start = (): Promise<void> =>
    new Promise((ready, failed) => {
      const worker = new Worker(new URL('./writer.js', import.meta.url), { workerData: data })
      const send = (message: ToWriter) => worker.postMessage(message)
      let serving = false
      let refused = ''
      worker.on('message', (message: FromWriter) => {
        if ('committed' in message) return settle((operation, i) => reply(operation, message.committed[i]!))
        if ('failed' in message) {
          counted.failedCommits++
          // On a full disk each one fails; a line a second tells as much.
          if (performance.now() - failureToldAt >= failureEveryMs) {
            failureToldAt = performance.now()
            const { failedCommits } = counted
            log.error({ reason: message.failed, failedCommits }, 'a commit failed; nothing of it was kept')
          }
          return settle(({ reject }) => reject(unavailable(message.failed)))
        }
        if ('walBytes' in message)
          return log.warn(message, 'the log of the database cannot be cut; another process reads the file')
        if ('refusedToStart' in message) {
          refused = message.refusedToStart
          return void worker.terminate()
        }
        if (closing) return send({ close: true })
        settings = message.ready
        serving = true
        writer = worker
        ready()
        schedule()
      })
      worker.on('error', (error) => log.error({ error }, 'the writer of the database failed'))
      worker.on('exit', (code) => {
        writer = null
        if (!serving)
          return failed(new Error(refused || `The writer of the database ended at start with code ${code}.`))
        const lost = [...committing, ...waiting]
        waiting = []
        committing = []
        for (const { reject } of lost) reject(unavailable('the writer ended'))
        idle()
        if (closing) return
        log.error({ code, lost: lost.length }, 'the writer of the database ended; starting it again')
        start().then(
          () => log.info({}, 'the writer of the database runs again'),
          (error) => log.error({ error }, 'the writer of the database did not start again; nothing can be written'),
        )
      })
      post = send
    })
  let post: (message: ToWriter) => void

  const settle = (each: (waiting: Waiting, index: number) => void) => {
    const done = committing
    committing = []
    counted.commits++
    counted.operations += done.length
    done.forEach(each)
    if (waiting.length) schedule()
    else idle()
  }

  /** At the end of this turn of the event loop, so that what came in by many sockets shares a commit. */
  const schedule = () => {
    if (scheduled || !waiting.length || committing.length || !writer) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      if (!waiting.length || committing.length || !writer) return
      committing = waiting.splice(0, commitMax)
      post({ commit: committing.map(({ operation }) => operation) })
    })
  }

  await start()

  return {
    /** Resolves when it is on disk. @throws ChatError what it was refused for, or `unavailable`: nothing is known of it */
    write<O extends Operation>(operation: O): Promise<Results[O[0]]> {
      return new Promise((resolve, reject) => {
        if (closing) return reject(unavailable('the store is closed'))
        if (!writer) return reject(unavailable('the writer is not running'))
        if (waiting.length >= waitingMax) return reject(unavailable('too much is waiting to be written'))
        waiting.push({ operation, resolve, reject })
        schedule()
      })
    },

    settings: () => settings!,
    counted: () => ({ ...counted }),

    /** Writes what waits, then ends the writer. */
    close(): Promise<void> {
      closing ??= (async () => {
        if (waiting.length + committing.length)
          await new Promise<void>((resolve) => {
            idle = resolve
          })
        const worker = writer
        if (!worker) return
        const ended = new Promise((resolve) => worker.once('exit', resolve))
        post({ close: true })
        await ended
      })()
      return closing
    },
  }
}

export type Commits = Awaited<ReturnType<typeof startCommits>>

const reply = ({ resolve, reject }: Waiting, reply: Reply): void =>
  typeof reply === 'string' ? reject(new ChatError(reply)) : resolve(reply as never)

const unavailable = (reason: string) => new ChatError('unavailable', { cause: reason })
