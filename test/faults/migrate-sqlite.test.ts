import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { expect, test } from 'vitest'
import { migrate, migrations } from '../../server/store/sqlite/migrations.ts'
import { openSqliteStore } from '../../server/store/sqlite/open.ts'
import { temporaryDirectory } from '../contracts/temporary-sqlite.ts'

/** The schema of 0.1 had two steps. */
const of01 = migrations.slice(0, 2)
const conversations = 100
const messagesOfEach = 1_000

/** A database as 0.1 left it: `conversations` of ada with somebody, who has read the half of each. */
const write01 = (file: string) => {
  const db = new Database(file)
  migrate(db, of01)
  db.exec(`
    BEGIN;
    INSERT INTO user SELECT 'ada', 'Ada L.', 'hash', 1000, 2000;
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${conversations - 1})
      INSERT INTO user SELECT printf('peer%03d', i), printf('Peer %d', i), 'hash', 1000, NULL FROM n;
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${conversations - 1})
      INSERT INTO conversation SELECT i + 1, printf('dm:ada:peer%03d', i), 'direct', ${messagesOfEach}, 5000 + ${messagesOfEach}, 0, 0 FROM n;
    INSERT INTO member SELECT key, 'ada', ${messagesOfEach}, ${messagesOfEach / 2}, 0 FROM conversation;
    INSERT INTO member SELECT key, substr(id, 8), 1, 0, 0 FROM conversation;
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${conversations * messagesOfEach - 1})
      INSERT INTO message
      SELECT i + 1, i % ${conversations} + 1, i / ${conversations} + 1,
        iif(i / ${conversations} % 3 = 0, 'ada', printf('peer%03d', i % ${conversations})),
        5000 + i / ${conversations}, 'message ' || (i / ${conversations} + 1), 'c' || i FROM n;
    UPDATE conversation SET last_version = (SELECT max(version) FROM message WHERE conversation = key);
    UPDATE member SET version = ${conversations * messagesOfEach} + rowid FROM (
      SELECT conversation AS c, username AS u, row_number() OVER () AS rowid FROM member) WHERE conversation = c AND username = u;
    UPDATE conversation SET version = (SELECT max(version) FROM member WHERE conversation = key);
    UPDATE clock SET version = ${conversations * messagesOfEach + 2 * conversations};
    COMMIT`)
  db.close()
}

test('a 0.1 database of 100,000 messages opens, and every promise holds on it', async () => {
  using directory = temporaryDirectory()
  const data = join(directory.path, 'data')
  mkdirSync(data)
  write01(join(data, 'parley.db'))
  await using store = await openSqliteStore({ directory: data })

  // [P11] A third of the upper half is ada's own.
  const recounted = Array.from({ length: messagesOfEach / 2 }, (_, i) => messagesOfEach / 2 + i).filter(
    (i) => i % 3 !== 0,
  )
  const summaries = await store.conversations('ada', null, conversations)
  expect(summaries.map(({ unread }) => unread)).toEqual(summaries.map(() => recounted.length))
  expect(summaries[0]).toMatchObject({ id: 'dm:ada:peer099', lastMessage: { seq: messagesOfEach, revision: 1 } })
  expect(await store.profiles(['ada', 'peer007'])).toMatchObject([
    { userId: 'ada', displayName: 'Ada L.', version: 0 },
    { userId: 'peer007', displayName: 'Peer 7', version: 0 },
  ])

  // [P5] A cursor of 0.1 goes on where it was.
  const cursor = conversations * messagesOfEach - 250
  const texts: string[] = []
  for await (const page of store.changes('ada', { after: cursor, upTo: Number.MAX_SAFE_INTEGER, except: [] }, 100))
    for (const change of page) texts.push(change.kind === 'message' ? change.message.text : change.kind)
  expect(texts.filter((text) => text.startsWith('message'))).toHaveLength(250)
  expect(texts.filter((text) => text === 'receipt')).toHaveLength(2 * conversations)

  // [P4] An id of 0.1 is known; [P3] numbers and versions go on.
  const draft = {
    conversationId: 'dm:ada:peer000',
    members: ['ada', 'peer000'],
    kind: 'direct' as const,
    sender: 'ada',
    text: 'message 1',
    clientMessageId: 'c0',
    sentAt: new Date(),
  }
  expect(await store.append(draft)).toMatchObject({ repeated: true, message: { seq: 1 } })
  await expect(store.append({ ...draft, text: 'another' })).rejects.toMatchObject({ kind: 'conflict' })
  const next = await store.append({ ...draft, clientMessageId: 'new' })
  expect(next.message.seq).toBe(messagesOfEach + 1)
  expect(next.message.version).toBeGreaterThan(conversations * messagesOfEach)

  // An old message changes in place, and a reader of that time is told.
  const place = { conversationId: 'dm:ada:peer000', seq: 1 }
  await store.edit({ ...place, revision: 1, text: 'edited', editedAt: new Date() })
  const changed: string[] = []
  for await (const page of store.changes('peer000', { after: cursor, upTo: Number.MAX_SAFE_INTEGER, except: [] }, 100))
    for (const change of page) if (change.kind === 'messageChanged') changed.push(change.message.text)
  expect(changed).toEqual(['edited'])
})
