import { parentPort } from 'node:worker_threads'
import { type Connection, openForReading, prepareValue } from './connection.ts'

// A worker thread that reads, so that no query holds up the event loop. Each read sees the last commit.

export type Asked =
  | { id: number; file: string; sql: string; parameters: (string | number)[] }
  | { id: number; file: string; close: true }
export type Reply = { id: number; json: string } | { id: number; failed: string }

interface Opened {
  db: Connection
  prepared: Map<string, ReturnType<typeof prepareValue>>
}

const port = parentPort!
const opened = new Map<string, Opened>()

const open = (file: string): Opened => {
  const known = opened.get(file) ?? { db: openForReading(file), prepared: new Map() }
  opened.set(file, known)
  return known
}

const run = (file: string, sql: string, parameters: (string | number)[]): string => {
  const { db, prepared } = open(file)
  const read = prepared.get(sql) ?? prepareValue(db, sql)
  prepared.set(sql, read)
  return read(parameters) as string
}

const close = (file: string): string => {
  opened.get(file)?.db.close()
  opened.delete(file)
  return ''
}

port.on('message', (asked: Asked) => {
  const { id, file } = asked
  try {
    const json = 'close' in asked ? close(file) : run(file, asked.sql, asked.parameters)
    port.postMessage({ id, json } satisfies Reply)
  } catch (error) {
    port.postMessage({ id, failed: String(error) } satisfies Reply)
  }
})
