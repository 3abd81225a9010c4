import { existsSync, renameSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Archive, Section, UnfinishedArchive } from '../../domain/archive.ts'
import { archiveReads } from './archive-reads.ts'
import { prepareArchiveWrites } from './archive-writes.ts'
import { type Connection, openForReading, openForWriting, prepareValue } from './connection.ts'
import { createDirectory, createPrivately } from './files.ts'
import { lockDirectory } from './lock.ts'
import { migrate } from './migrations.ts'
import { cutLog } from './wal.ts'

/** A copy has this name until it is whole. */
export const unfinishedFile = 'parley-unfinished.db'

/** The store in a directory, to be read; no process may use it meanwhile. @throws Error in plain words */
export const openSqliteArchive = async (path: string): Promise<Archive> => {
  const directory = resolve(path)
  const file = join(directory, 'parley.db')
  if (!existsSync(file)) throw new Error(`There is no Parley store in ${directory}.`)
  const unlock = lockDirectory(directory)
  try {
    const db = openForWriting(file)
    migrate(db)
    const storeId = prepareValue(db, 'SELECT id FROM store')([]) as string
    db.close()
    const reads = openForReading(file)
    return {
      ...archiveReads(reads),
      storeId,
      async [Symbol.asyncDispose]() {
        reads.close()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}

/** A copy of this store in a directory that has none, begun or taken up again. @throws Error in plain words */
export const openUnfinishedSqliteArchive = async (path: string, storeId: string): Promise<UnfinishedArchive> => {
  const directory = resolve(path)
  const file = join(directory, unfinishedFile)
  createDirectory(directory)
  const unlock = lockDirectory(directory)
  try {
    if (existsSync(join(directory, 'parley.db')))
      throw new Error(`${directory} holds a Parley store already; name a directory without one.`)
    createPrivately(file)
    const db = openForWriting(file)
    migrate(db)
    db.exec(
      'CREATE TABLE IF NOT EXISTS copy (store TEXT NOT NULL, section TEXT, id TEXT NOT NULL, seq INTEGER NOT NULL)',
    )
    db.prepare(`INSERT INTO copy SELECT ?, NULL, '', 0 WHERE NOT EXISTS (SELECT * FROM copy)`).run([storeId])
    const [store, section, id, seq] = db.prepare('SELECT store, section, id, seq FROM copy').raw().get() as [
      string,
      Section | null,
      string,
      number,
    ]
    if (store !== storeId)
      throw new Error(
        `${directory} holds an unfinished copy of another store; name another directory, or delete ${unfinishedFile}* there.`,
      )
    const reads = openForReading(file)
    const write = prepareArchiveWrites(db)
    let isOpen = true
    const close = () => {
      if (!isOpen) return
      isOpen = false
      reads.close()
      cutLog(db)
      db.close()
    }
    return {
      ...archiveReads(reads),
      storeId,
      progress: section && { section, upTo: [id, seq] },
      write: async (section, rows) => write(section, rows),
      async finish() {
        finishClocks(db)
        close()
        renameSync(file, join(directory, 'parley.db'))
      },
      async [Symbol.asyncDispose]() {
        close()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}

const finishClocks = (db: Connection): void => {
  db.exec(`
    BEGIN IMMEDIATE;
    UPDATE conversation SET version = max(version,
      coalesce((SELECT max(changed_version) FROM message WHERE conversation = key AND changed_version IS NOT NULL), 0),
      coalesce((SELECT max(u.version) FROM member m JOIN user u USING (user_id) WHERE m.conversation = key), 0));
    UPDATE clock SET version = max(
      coalesce((SELECT max(sent_version) FROM message), 0),
      coalesce((SELECT max(changed_version) FROM message), 0),
      coalesce((SELECT max(version) FROM member), 0),
      coalesce((SELECT max(version) FROM user), 0),
      coalesce((SELECT max(version) FROM ended_session), 0));
    DROP TABLE copy;
    COMMIT`)
}

/** For whoever would begin a store of its own beside it. @throws Error in plain words */
export const refuseUnfinished = (directory: string): void => {
  if (!existsSync(join(directory, unfinishedFile)) || existsSync(join(directory, 'parley.db'))) return
  throw new Error(
    `${directory} holds an unfinished copy of another store: run the migration again, or delete ${unfinishedFile}* there.`,
  )
}
