import { Worker } from 'node:worker_threads'
import { ChatError } from '../../contract/index.ts'
import type { Log } from '../../domain/ports.ts'
import type { Asked, Reply } from './reader.ts'

/** One reads while the other waits for the disk; more would take the processor from the event loop. */
const readersMax = 2
/** A thread costs as much as thousands of reads, so that a second one is started only where this many wait. */
const waitingForAnother = 4
/**
 * Waiting in a reader, so that it is not idle until a busy event loop has its next turn: with 2 it read a tenth of the time
 * where turns took 10 ms. The rest waits here, for the first that is free.
 */
const underWayMax = 8

/** Answers taken in one turn of the event loop, lest what is done with many long ones holds up everybody else. */
const takenAtOnce = 3

interface Waiting {
  asked: Asked
  resolve(json: string): void
  reject(error: ChatError): void
}

interface Reader {
  worker: Worker
  underWay: Map<number, Waiting>
}

// The threads read for all stores of the process, and outlive them: starting one takes longer than opening a store.
const readers = new Set<Reader>()
const waiting: Waiting[] = []
const replies: { reader: Reader; reply: Reply }[] = []
/** Those that are open. */
const stores = new Set<{ log: Log }>()
let lastId = 0

const start = (): Reader => {
  const worker = new Worker(new URL('./reader.js', import.meta.url))
  const reader: Reader = { worker, underWay: new Map() }
  readers.add(reader)
  worker.on('message', (reply: Reply) => {
    if (replies.push({ reader, reply }) === 1) setImmediate(handOver)
  })
  worker.on('error', (error) => {
    for (const { log } of stores) log.error({ error }, 'a reader of the database failed')
  })
  worker.on('exit', () => {
    readers.delete(reader)
    for (const { reject } of reader.underWay.values()) reject(unavailable('the reader ended'))
    for (const { log } of stores) log.error({}, 'a reader of the database ended; starting another with the next read')
  })
  return reader
}

/**
 * A few each turn: node takes from a thread without a turn in between for as long as it has something to say, and a thread
 * that is asked for more with each answer always has.
 */
const handOver = () => {
  for (const { reader, reply } of replies.splice(0, takenAtOnce)) {
    const asked = reader.underWay.get(reply.id)
    reader.underWay.delete(reply.id)
    // It may have ended meanwhile, and answers nothing any more.
    if (readers.has(reader)) serve(reader)
    if ('json' in reply) asked?.resolve(reply.json)
    else asked?.reject(unavailable(reply.failed))
  }
  if (replies.length > 0) setImmediate(handOver)
}

const serve = (reader: Reader) => {
  while (reader.underWay.size < underWayMax) {
    const next = waiting.shift()
    if (!next) return
    ask(reader, next)
  }
}
const serveNext = () => {
  const free = [...readers].find(({ underWay }) => underWay.size < underWayMax)
  const isNeeded = readers.size === 0 || (readers.size < readersMax && waiting.length > waitingForAnother)
  if (free) serve(free)
  else if (isNeeded) serve(start())
}
const ask = ({ worker, underWay }: Reader, next: Waiting) => {
  underWay.set(next.asked.id, next)
  worker.postMessage(next.asked)
}

/** Reads of one database, in threads; what is asked for first is read first. A reader that dies is started again. */
export const openReads = (file: string, log: Log) => {
  let closed = false
  const store = { log }
  stores.add(store)
  for (const { worker } of readers) worker.ref()

  return {
    /** `sql` gives one JSON text. @throws ChatError `unavailable` */
    prepare:
      <T>(sql: string) =>
      async (...parameters: (string | number)[]): Promise<T> => {
        if (closed) throw unavailable('the store is closed')
        const json = await new Promise<string>((resolve, reject) => {
          waiting.push({ asked: { id: ++lastId, file, sql, parameters }, resolve, reject })
          serveNext()
        })
        return JSON.parse(json) as T
      },

    /** Ends when what is being read has been read; what waits is not read any more. */
    async close(): Promise<void> {
      if (closed) return
      closed = true
      const own = waiting.filter(({ asked }) => asked.file === file)
      waiting.splice(0, Number.POSITIVE_INFINITY, ...waiting.filter(({ asked }) => asked.file !== file))
      for (const { reject } of own) reject(unavailable('the store is closed'))
      const closings = Array.from(
        readers,
        (reader) =>
          new Promise<unknown>((resolve) => {
            ask(reader, { asked: { id: ++lastId, file, close: true }, resolve, reject: resolve })
          }),
      )
      await Promise.all(closings)
      stores.delete(store)
      if (stores.size === 0) for (const { worker } of readers) worker.unref()
    },
  }
}

export type Reads = ReturnType<typeof openReads>

const unavailable = (cause: string) => new ChatError('unavailable', { cause })
