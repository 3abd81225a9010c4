import { closeSync, mkdirSync, openSync } from 'node:fs'

/** Messages are nobody's business but this account's. A directory that exists keeps its mode. */
export const createDirectory = (directory: string): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
}

/** Creates the file with mode 0600 where there is none; SQLite gives the files beside it the same mode. */
export const createPrivately = (file: string): void => closeSync(openSync(file, 'a', 0o600))
