import { pathToFileURL } from 'node:url'
import Database from 'libsql'

export type Connection = Database.Database

/** Pages of 4 KiB in the write-ahead log before they are copied into the database: 40 MiB. */
const walPages = 10_000
/** Above what the log usually reaches: cutting it each time would let the file system allocate it anew. */
const walKeptBytes = 64 * 1024 * 1024
const writerCacheKiB = 64 * 1024
const readerCacheKiB = 16 * 1024
export const busyMs = 5_000

/**
 * The one connection that writes, and the only one that checkpoints.
 * @throws Error where SQLite does not take a setting on which durability rests
 */
export const openForWriting = (file: string): Connection => {
  const db = new Database(file)
  db.exec(`PRAGMA busy_timeout = ${busyMs}`)
  db.exec('PRAGMA journal_mode = WAL')
  // Without FULL, SQLite does not sync the log at a commit: power loss would take acknowledged messages with it.
  db.exec('PRAGMA synchronous = FULL')
  db.exec('PRAGMA foreign_keys = ON')
  db.exec(`PRAGMA wal_autocheckpoint = ${walPages}`)
  // After a checkpoint a log that grew shrinks back to this; without it the file would stay at its largest.
  db.exec(`PRAGMA journal_size_limit = ${walKeptBytes}`)
  db.exec(`PRAGMA cache_size = -${writerCacheKiB}`)
  // A deleted text is overwritten, not only forgotten.
  db.exec('PRAGMA secure_delete = ON')
  requireDurable(settingsOf(db))
  return db
}

/**
 * Sees each commit as soon as it is made. Read-only in the file's name, as this driver passes over the option: a second
 * connection that writes or checkpoints would make the writer's memory a lie.
 */
export const openForReading = (file: string): Connection => {
  const db = new Database(`${pathToFileURL(file).href}?mode=ro`)
  db.exec(`PRAGMA busy_timeout = ${busyMs}`)
  db.exec(`PRAGMA cache_size = -${readerCacheKiB}`)
  return db
}

export interface Settings {
  journal_mode: unknown
  synchronous: unknown
  foreign_keys: unknown
}

export const settingsOf = (db: Connection): Settings => ({
  journal_mode: pragma(db, 'journal_mode'),
  synchronous: pragma(db, 'synchronous'),
  foreign_keys: pragma(db, 'foreign_keys'),
})

export const requireDurable = ({ journal_mode, synchronous, foreign_keys }: Settings): void => {
  if (journal_mode === 'wal' && synchronous === 2 && foreign_keys === 1) return
  throw new Error(
    'SQLite did not take the settings that keep acknowledged messages safe ' +
      `(journal_mode wal, synchronous 2, foreign_keys 1; got ${journal_mode}, ${synchronous}, ${foreign_keys}).`,
  )
}

export const pragma = (db: Connection, name: string): unknown =>
  (db.prepare(`PRAGMA ${name}`).raw().get([]) as unknown[])[0]

/** A query of one row and one column, or undefined. */
export const prepareValue = (db: Connection, sql: string) => {
  const statement = db.prepare<[unknown[]]>(sql).raw()
  return (parameters: unknown[]): unknown => (statement.get(parameters) as unknown[] | undefined)?.[0]
}

/**
 * A query that gives one JSON text. SQLite itself makes the rows into one text, which is twice as fast as fetching them one
 * by one through this driver, and keeps NUL characters, at which it cuts plain text.
 */
export const prepareJson = <T>(db: Connection, sql: string): ((...parameters: (string | number)[]) => T) => {
  const read = prepareValue(db, sql)
  return (...parameters) => JSON.parse(read(parameters) as string) as T
}
