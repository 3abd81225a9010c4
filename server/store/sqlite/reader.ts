import { parentPort, workerData } from 'node:worker_threads'
import { type Connection, openForReading, prepareValue } from './connection.ts'

/** A worker thread that reads, so that no query holds up the event loop. Each read sees the last commit. */
export interface ReaderData {
  file: string
}

export type Read = [id: number, sql: string, parameters: (string | number)[]]
export type ReadReply = { id: number; json: string } | { id: number; failed: string }

const port = parentPort!
const db: Connection = openForReading((workerData as ReaderData).file)
const prepared = new Map<string, ReturnType<typeof prepareValue>>()

const run = (sql: string, parameters: (string | number)[]): string => {
  const read = prepared.get(sql) ?? prepareValue(db, sql)
  prepared.set(sql, read)
  return read(parameters) as string
}

port.on('message', (message: Read | 'close') => {
  if (message === 'close') {
    db.close()
    port.close()
    return
  }
  const [id, sql, parameters] = message
  try {
    port.postMessage({ id, json: run(sql, parameters) } satisfies ReadReply)
  } catch (error) {
    port.postMessage({ id, failed: String(error) } satisfies ReadReply)
  }
})
