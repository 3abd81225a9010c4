import { existsSync, renameSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  type Archive,
  type ArchiveRows,
  type Key,
  keyOf,
  type Section,
  type UnfinishedArchive,
} from '../../domain/archive.ts'
import { type Connection, openForWriting, prepareValue } from './connection.ts'
import { createDirectory, createPrivately } from './files.ts'
import { lockDirectory } from './lock.ts'
import { migrate } from './migrations.ts'
import { openReads, type Reads } from './reads.ts'
import { cutLog } from './wal.ts'

/** A copy has this name until it is whole. */
export const unfinishedFile = 'parley-unfinished.db'

type Read = { [S in Section]: (after: Key, limit: number) => ArchiveRows[S][] }

const prepareReads = (reads: Reads): Read => {
  const users = reads.prepare<[string, string, string, number, number | null][]>(`
    SELECT json_group_array(json_array(username, display_name, password_hash, created_at, last_seen_at)) FROM (
      SELECT * FROM user WHERE username > ? ORDER BY username LIMIT ?)`)
  const sessions = reads.prepare<[string, string, number, number][]>(`
    SELECT json_group_array(json_array(token_hash, username, created_at, expires_at)) FROM (
      SELECT * FROM session WHERE token_hash > ? ORDER BY token_hash LIMIT ?)`)
  const endedSessions = reads.prepare<[string, number, number][]>(`
    SELECT json_group_array(json_array(token_hash, version, expires_at)) FROM (
      SELECT * FROM ended_session WHERE token_hash > ? ORDER BY token_hash LIMIT ?)`)
  const conversations = reads.prepare<
    [string, 'direct' | 'group', number, number, number, [string, number, number, number][]][]
  >(`
    SELECT json_group_array(json_array(id, kind, last_seq, last_version, last_sent_at, (
      SELECT json_group_array(json_array(username, delivered_seq, read_seq, version)) FROM member WHERE conversation = key)))
    FROM (SELECT * FROM conversation WHERE id > ? ORDER BY id LIMIT ?)`)
  const messages = (where: string) =>
    reads.prepare<[string, number, number, string, string, number, string | null][]>(`
      SELECT json_group_array(json_array(id, seq, version, sender, text, sent_at, client_message_id)) FROM (
        SELECT c.id, m.* FROM conversation c CROSS JOIN message m ON m.conversation = c.key
        WHERE ${where} ORDER BY c.id, m.seq LIMIT ?)`)
  const inSame = messages('c.id = ? AND m.seq > ?')
  const inLater = messages('c.id > ?')

  return {
    users: ([id], limit) =>
      users(id, limit).map(([username, displayName, passwordHash, createdAt, lastSeenAt]) => ({
        username,
        displayName,
        passwordHash,
        createdAt: new Date(createdAt),
        lastSeenAt: lastSeenAt === null ? null : new Date(lastSeenAt),
      })),
    sessions: ([id], limit) =>
      sessions(id, limit).map(([tokenHash, username, createdAt, expiresAt]) => ({
        tokenHash,
        username,
        createdAt: new Date(createdAt),
        expiresAt: new Date(expiresAt),
      })),
    endedSessions: ([id], limit) =>
      endedSessions(id, limit).map(([tokenHash, version, expiresAt]) => ({
        tokenHash,
        version,
        expiresAt: new Date(expiresAt),
      })),
    conversations: ([after], limit) =>
      conversations(after, limit).map(([id, kind, seq, version, sentAt, members]) => ({
        id,
        kind,
        members: members
          .map(([username, deliveredSeq, readSeq, version]) => ({ username, deliveredSeq, readSeq, version }))
          .sort((a, b) => (a.username < b.username ? -1 : 1)),
        last: { seq, version, sentAt: new Date(sentAt) },
      })),
    messages([id, seq], limit) {
      const rows = inSame(id, seq, limit)
      if (rows.length < limit) rows.push(...inLater(id, limit - rows.length))
      return rows.map(([conversationId, seq, version, sender, text, sentAt, clientMessageId]) => ({
        conversationId,
        seq,
        version,
        sender,
        text,
        sentAt: new Date(sentAt),
        clientMessageId,
      }))
    },
  }
}

const tables: Record<Section, string> = {
  users: 'user',
  sessions: 'session',
  endedSessions: 'ended_session',
  conversations: 'conversation',
  messages: 'message',
}

const archiveOf = (reads: Reads): Pick<Archive, 'read' | 'count'> => {
  const read = prepareReads(reads)
  const before = (a: Key, b: Key) => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])
  return {
    async read(section, after, limit) {
      const rows = read[section](after, limit)
      // SQLite promises no order inside a JSON array.
      return rows.sort((a, b) => (before(keyOf(section, a), keyOf(section, b)) ? -1 : 1))
    },
    count: async (section) => reads.prepare<number>(`SELECT count(*) FROM ${tables[section]}`)(),
  }
}

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
    const reads = openReads(file)
    return {
      ...archiveOf(reads),
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
    const reads = openReads(file)
    const write = prepareWrites(db)
    let isOpen = true
    const close = () => {
      if (!isOpen) return
      isOpen = false
      reads.close()
      cutLog(db)
      db.close()
    }
    return {
      ...archiveOf(reads),
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

const prepareWrites = (db: Connection) => {
  const insert = (sql: string) => db.prepare<[unknown[]]>(`INSERT OR IGNORE INTO ${sql}`)
  const user = insert('user VALUES (?, ?, ?, ?, ?)')
  const session = insert('session VALUES (?, ?, ?, ?)')
  const endedSession = insert('ended_session VALUES (?, ?, ?)')
  const conversation = insert('conversation VALUES (NULL, ?, ?, ?, ?, ?, ?)')
  const member = insert('member SELECT key, ?, ?, ?, ? FROM conversation WHERE id = ?')
  const message = insert('message SELECT ?, key, ?, ?, ?, ?, ? FROM conversation WHERE id = ?')
  const moveOn = db.prepare<[unknown[]]>('UPDATE copy SET section = ?, id = ?, seq = ?')

  const add: { [S in Section]: (row: ArchiveRows[S]) => void } = {
    users: ({ username, displayName, passwordHash, createdAt, lastSeenAt }) =>
      user.run([username, displayName, passwordHash, createdAt.getTime(), lastSeenAt?.getTime() ?? null]),
    sessions: ({ tokenHash, username, createdAt, expiresAt }) =>
      session.run([tokenHash, username, createdAt.getTime(), expiresAt.getTime()]),
    endedSessions: ({ tokenHash, version, expiresAt }) => endedSession.run([version, tokenHash, expiresAt.getTime()]),
    conversations({ id, kind, members, last }) {
      const version = Math.max(last.version, ...members.map((member) => member.version))
      conversation.run([id, kind, last.seq, last.sentAt.getTime(), last.version, version])
      for (const { username, deliveredSeq, readSeq, version } of members)
        member.run([username, deliveredSeq, readSeq, version, id])
    },
    messages: ({ conversationId, seq, version, sender, text, sentAt, clientMessageId }) =>
      message.run([version, seq, sender, sentAt.getTime(), text, clientMessageId, conversationId]),
  }

  return <S extends Section>(section: S, rows: ArchiveRows[S][]): void => {
    db.exec('BEGIN IMMEDIATE')
    try {
      for (const row of rows) add[section](row)
      const last = rows.at(-1)
      if (last) moveOn.run([section, ...keyOf(section, last)])
      db.exec('COMMIT')
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
}

const finishClocks = (db: Connection): void => {
  db.exec(`
    BEGIN IMMEDIATE;
    UPDATE clock SET version = max(
      coalesce((SELECT max(version) FROM message), 0),
      coalesce((SELECT max(version) FROM member), 0),
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
