import { join } from 'node:path'
import Database from 'libsql'
import { createPrivately, explainFile } from './files.ts'

/**
 * Holds the data directory for this process: the writer knows in memory where each conversation stands, which two
 * processes could not. It is SQLite's lock on an empty file, which the kernel releases however the process ends.
 * @returns what releases it
 */
export const lockDirectory = (directory: string): (() => void) => {
  const file = join(directory, 'parley.lock')
  createPrivately(file)
  const lock = new Database(file)
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    const isInUse = (cause as { code?: string }).code === 'SQLITE_BUSY'
    const words = `The data directory ${directory} is in use by another Parley process; stop that one first.`
    throw new Error(isInUse ? words : explainFile(file, cause), { cause })
  }
  return () => {
    lock.exec('ROLLBACK')
    lock.close()
  }
}
