import { closeSync, mkdirSync, openSync } from 'node:fs'

/** Messages are nobody's business but this account's. A directory that exists keeps its mode. */
export const createDirectory = (directory: string): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
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
