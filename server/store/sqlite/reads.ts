import { Worker } from 'node:worker_threads'
import { ChatError } from '../../contract/index.ts'
import type { Log } from '../../domain/ports.ts'
import type { Read, ReaderData, ReadReply } from './reader.ts'

/** One reads while the other waits for the disk; more would take the processor from the event loop. */
const readersMax = 2
/** A thread costs as much as thousands of reads, so that a second one is started only where this many wait. */
const waitingForAnother = 16
/** Waiting in a reader, so that it is never idle between two reads. The rest waits here, for the first that is free. */
const underWayMax = 2

interface Waiting {
  read: Read
  resolve(json: string): void
  reject(error: ChatError): void
}

interface Reader {
  worker: Worker
  underWay: Map<number, Waiting>
}

/** Reads in threads of their own; what is asked for first is read first. A reader that dies is started again. */
export const openReads = (file: string, log: Log) => {
  const waiting: Waiting[] = []
  const readers = new Set<Reader>()
  let lastId = 0
  let closed = false

  const start = () => {
    const worker = new Worker(new URL('./reader.js', import.meta.url), { workerData: { file } satisfies ReaderData })
    const reader: Reader = { worker, underWay: new Map() }
    readers.add(reader)
    worker.on('message', (reply: ReadReply) => {
      const asked = reader.underWay.get(reply.id)
      reader.underWay.delete(reply.id)
      serve(reader)
      if ('json' in reply) asked?.resolve(reply.json)
      else asked?.reject(unavailable(reply.failed))
    })
    worker.on('error', (error) => log.error({ error }, 'a reader of the database failed'))
    worker.on('exit', () => {
      readers.delete(reader)
      for (const { reject } of reader.underWay.values()) reject(unavailable('the reader ended'))
      if (!closed) log.error({}, 'a reader of the database ended; starting another with the next read')
    })
    return reader
  }
  const serve = (reader: Reader) => {
    while (reader.underWay.size < underWayMax) {
      const next = waiting.shift()
      if (!next) return
      reader.underWay.set(next.read[0], next)
      reader.worker.postMessage(next.read)
    }
  }
  const serveNext = () => {
    const free = [...readers].find(({ underWay }) => underWay.size < underWayMax)
    const isNeeded = readers.size === 0 || (readers.size < readersMax && waiting.length > waitingForAnother)
    if (free) serve(free)
    else if (isNeeded) serve(start())
  }

  return {
    /** `sql` gives one JSON text. @throws ChatError `unavailable` */
    prepare:
      <T>(sql: string) =>
      async (...parameters: (string | number)[]): Promise<T> => {
        if (closed) throw unavailable('the store is closed')
        const json = await new Promise<string>((resolve, reject) => {
          waiting.push({ read: [++lastId, sql, parameters], resolve, reject })
          serveNext()
        })
        return JSON.parse(json) as T
      },

    /** Ends what is being read. */
    async close(): Promise<void> {
      if (closed) return
      closed = true
      for (const { reject } of waiting.splice(0)) reject(unavailable('the store is closed'))
      await Promise.all(
        Array.from(readers, ({ worker }) => {
          const ended = new Promise((resolve) => worker.once('exit', resolve))
          worker.postMessage('close')
          return ended
        }),
      )
    },
  }
}

export type Reads = ReturnType<typeof openReads>

const unavailable = (cause: string) => new ChatError('unavailable', { cause })
