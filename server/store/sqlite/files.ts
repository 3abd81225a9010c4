import { accessSync, closeSync, constants, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Messages are nobody's business but this account's. A directory that exists keeps its mode.
 * @throws Error in words for whoever chose the directory
 */
export const createDirectory = (directory: string): void => {
  try {
    make(resolve(directory))
    accessSync(directory, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new Error(`DATA_DIR=${directory} cannot be used: ${reasonOf(cause)}.`, { cause })
  }
}

/** Step by step: where a system answers ENOENT to the making itself, as `/proc` does, Node's `recursive` never ends. */
const make = (directory: string): void => {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return
  make(dirname(directory))
  mkdirSync(directory, { mode: 0o700 })
}

const reasonOf = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EEXIST' || code === 'ENOTDIR') return 'a file is in its place; name a folder'
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not write there'
  if (code === 'EROFS') return 'its disk takes no writes'
  return `the system says ${code}`
}

/**
 * Creates the file with mode 0600 where there is none; SQLite gives the files beside it the same mode. One that is there is
 * not opened: closing it would release every lock that this process has on it (POSIX), SQLite's too.
 */
export const createPrivately = (file: string): void => {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** What SQLite says of a file, in words for whoever owns it. */
export const explainFile = (file: string, error: unknown): string => {
  const { code, message } = error as Error & { code?: string }
  if (code === 'SQLITE_NOTADB') return `${file} is not a database of Parley; move it away, or name another DATA_DIR.`
  if (code === 'SQLITE_CORRUPT') return `${file} is damaged; restore a backup of the folder.`
  if (code === 'SQLITE_CANTOPEN') return `${file} cannot be opened; it has to be a file that this user may write.`
  if (code === 'SQLITE_READONLY') return `${file} takes no writes; this user has to be allowed to.`
  if (code === 'SQLITE_FULL') return `The disk of ${file} is full.`
  return error instanceof Error ? message : String(error)
}
