import { statSync } from 'node:fs'
import { busyMs, type Connection } from './connection.ts'

const commitsBetweenChecks = 256
/** So long an erased text may stand in the log. */
const eraseMs = 5_000

/**
 * The log starts anew when everything in it is in the database and nobody reads it at that moment, which under constant
 * reading may not happen for long. Past `bytesMax` the writer waits for such a moment; so it does for what was erased in
 * the database, and still stands in the log.
 */
export const boundLog = (db: Connection, file: string, bytesMax: number) => {
  let commits = 0
  let erasing: NodeJS.Timeout | undefined
  const size = () => statSync(`${file}-wal`).size
  const cut = () => {
    db.exec('PRAGMA busy_timeout = 100')
    cutLog(db)
    db.exec(`PRAGMA busy_timeout = ${busyMs}`)
  }
  const cutErased = () => {
    erasing = undefined
    cut()
    if (size() > 0) eraseSoon()
  }
  const eraseSoon = () => {
    erasing ??= setTimeout(cutErased, eraseMs)
  }
  return {
    /** After each commit. @returns the size of a log that could not be cut, else null */
    check(): number | null {
      if (++commits % commitsBetweenChecks !== 0 || size() <= bytesMax) return null
      cut()
      return size() <= bytesMax ? null : size()
    },
    /** A text was erased. */
    eraseSoon,
    close: () => clearTimeout(erasing),
  }
}

/** A log that cannot be copied now, on a full disk for one, is as safe as the database: it is tried again later. */
export const cutLog = (db: Connection): void => {
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {}
}
