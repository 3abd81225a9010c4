import { ChatError } from '../../contract/index.ts'
import { type Connection, openForReading, prepareValue } from './connection.ts'

/**
 * Reads on the thread that asks; each sees the last commit. SQLite itself makes a query's rows into one JSON text, which
 * is twice as fast as fetching them one by one through this driver, and keeps NUL characters, at which it cuts plain text.
 */
export const openReads = (file: string) => {
  const db: Connection = openForReading(file)
  let open = true

  return {
    /** `sql` gives one JSON text. @throws ChatError `unavailable` */
    prepare<T>(sql: string): (...parameters: (string | number)[]) => T {
      const read = prepareValue(db, sql)
      return (...parameters) => {
        if (!open) throw new ChatError('unavailable', { cause: 'the store is closed' })
        try {
          return JSON.parse(read(parameters) as string) as T
        } catch (cause) {
          throw new ChatError('unavailable', { cause })
        }
      }
    },
    close(): void {
      open = false
      db.close()
    },
  }
}

export type Reads = ReturnType<typeof openReads>
