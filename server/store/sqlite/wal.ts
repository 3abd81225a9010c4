import { statSync } from 'node:fs'
import { busyMs, type Connection } from './connection.ts'

const commitsBetweenChecks = 256

/**
 * The log starts anew when everything in it is in the database and nobody reads it at that moment, which under constant
 * reading may not happen for long. Past `bytesMax` the writer waits for such a moment.
 */
export const boundLog = (db: Connection, file: string, bytesMax: number) => {
  let commits = 0
  const size = () => statSync(`${file}-wal`).size
  return {
    /** After each commit. @returns the size of a log that could not be cut, else null */
    check(): number | null {
      if (++commits % commitsBetweenChecks !== 0 || size() <= bytesMax) return null
      db.exec('PRAGMA busy_timeout = 100')
      cutLog(db)
      db.exec(`PRAGMA busy_timeout = ${busyMs}`)
      return size() <= bytesMax ? null : size()
    },
  }
}

/** A log that cannot be copied now, on a full disk for one, is as safe as the database: it is tried again later. */
export const cutLog = (db: Connection): void => {
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {}
}
