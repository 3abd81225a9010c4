import { readFileSync } from 'node:fs'
import { replaceFile } from './atomic-file.ts'
import { UsageError } from './exit-codes.ts'

export type CursorFile = ReturnType<typeof openCursorFile>

/**
 * Keeps the place of `listen` between runs. A file that is missing or empty, as `mktemp` makes it, holds no place yet.
 * @throws UsageError where it cannot be kept: found out now, and not when the first event was already printed
 */
export const openCursorFile = (path: string) => {
  const read = (): string => {
    try {
      return readFileSync(path, 'utf8').trim()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
      throw error
    }
  }
  try {
    const cursor = read()
    replaceFile(path, cursor && `${cursor}\n`)
    return {
      cursor: cursor === '' ? undefined : cursor,
      keep: (next: string) => replaceFile(path, `${next}\n`),
    }
  } catch (error) {
    throw new UsageError(`The place cannot be kept in the cursor file: ${(error as Error).message}`)
  }
}
