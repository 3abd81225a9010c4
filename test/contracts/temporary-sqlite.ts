import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore, type SqliteOptions } from '../../server/store/sqlite/open.ts'

export const temporaryDirectory = () => {
  const path = mkdtempSync(join(tmpdir(), 'parley-test-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** A store in a directory of its own, which is gone when it is closed. */
export const temporarySqlite = async (options: Partial<SqliteOptions> = {}) => {
  const directory = temporaryDirectory()
  const store = await openSqliteStore({ directory: join(directory.path, 'data'), ...options })
  const close = async () => {
    await store.close()
    directory[Symbol.dispose]()
  }
  return { store, directory: join(directory.path, 'data'), close, [Symbol.asyncDispose]: close }
}
