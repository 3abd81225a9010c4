import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import Database from 'libsql'
import { describe, expect, test } from 'vitest'
import { type Archive, type ArchiveRows, firstKey, type Section, sections } from '../../server/domain/archive.ts'
import type { Log, Store } from '../../server/domain/ports.ts'
import { openMongoArchive, openUnfinishedMongoArchive } from '../../server/store/mongo/archive.ts'
import { openMongoStore } from '../../server/store/mongo/open.ts'
import { openSqliteArchive } from '../../server/store/sqlite/archive.ts'
import { openSqliteStore } from '../../server/store/sqlite/open.ts'
import { draft } from '../contracts/store.ts'
import { temporaryDirectory } from '../harness/directory.ts'
import { findTestMongo, temporaryDatabase } from '../harness/mongo.ts'
import { failToStart } from '../harness/process.ts'

const { uri: server, missing } = await findTestMongo()
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

const script = fileURLToPath(new URL('../../dist/server/migrate.js', import.meta.url))

/** The command as a process of its own. @param until killed with -9 as soon as it prints this */
const migrate = async (args: string[], until?: RegExp) => {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output += `${line}\n`
      if (until?.test(line)) child.kill('SIGKILL')
    })
  }
  const [code] = await once(child, 'close')
  return { code, output }
}

const allOf = async (archive: Archive): Promise<{ [S in Section]: ArchiveRows[S][] }> => {
  const all: Partial<Record<Section, unknown>> = {}
  for (const section of sections) all[section] = await archive.read(section, firstKey, 1_000_000)
  return all as { [S in Section]: ArchiveRows[S][] }
}

const inSqlite = async (directory: string) => {
  await using archive = await openSqliteArchive(directory)
  return await allOf(archive)
}

/** Something of everything that a store keeps. */
const fill = async (store: Store, messages: number): Promise<void> => {
  for (const userId of ['ada', 'bob', 'cyd'])
    await store.createUser({
      userId,
      displayName: `${userId} 🦋`,
      passwordHash: '$argon2id$',
      createdAt: new Date(1_000),
    })
  await store.setLastSeen([{ userId: 'ada', at: new Date(2_000) }])
  const expiresAt = new Date(Date.now() + 3_600_000)
  for (const tokenHash of ['one', 'two'])
    await store.createSession({ tokenHash, userId: 'ada', createdAt: new Date(3_000), expiresAt })
  await store.deleteSession('two')
  for (const networkHash of ['home', 'office'])
    await store.rememberNetwork({ userId: 'ada', networkHash, seenAt: new Date(4_000) }, 50)
  const group = { conversationId: 'group:g1', kind: 'group', members: ['ada', 'bob', 'cyd'] } as const
  await store.append(draft('ada', '', 'to all', { ...group, members: [...group.members] }))
  await store.append(draft('ada', 'ada', 'a note with \0 in it'))
  await Promise.all(
    Array.from({ length: messages }, (_, i) =>
      store.append(draft('ada', i % 3 ? 'bob' : 'cyd', `text ${i}`, { clientMessageId: i % 2 ? `c${i}` : null })),
    ),
  )
  await store.advance([
    { conversationId: 'dm:ada:bob', userId: 'bob', deliveredSeq: 5, readSeq: 3 },
    { conversationId: 'group:g1', userId: 'cyd', deliveredSeq: 1, readSeq: 1 },
  ])
  if (messages < 10) return
  // What changed after it was sent, and who came back.
  const of = (seq: number) => ({ conversationId: 'dm:ada:cyd', seq })
  await store.edit({ ...of(1), revision: 1, text: 'edited \0', editedAt: new Date() })
  await store.edit({ ...of(1), revision: 2, text: 'edited again', editedAt: new Date() })
  await store.delete({ ...of(2), deletedAt: new Date() })
  await store.updateProfile('cyd', { displayName: 'Cyd C.' })
  await store.removeMember('group:g1', 'bob')
  await store.append(draft('ada', '', 'while bob is away', { ...group, members: [...group.members] }))
  await store.addMember('group:g1', 'bob', 1)
}

const openFilled = async (messages = 100) => {
  const directory = await temporaryDirectory()
  const path = join(directory.path, 'data')
  const store = await openSqliteStore({ directory: path })
  await fill(store, messages)
  await store.close()
  return { path, other: join(directory.path, 'other'), [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
}

const expectRefusal = async (from: string, to: string, words: string) => {
  const { code, output } = await migrate(['--from', from, '--to', to])
  expect(output).toContain(words)
  expect(output).not.toMatch(/\n {4}at /)
  expect(code).toBe(1)
}

test('without both places it says how it is used', async () => {
  for (const args of [[], ['--from', './data'], ['--from', './data', '--too', 'x']]) {
    const { code, output } = await migrate(args)
    expect(output).toContain('npm run migrate -- --from ./data --to mongodb://')
    expect(code).toBe(1)
  }
})

test('[P1] what a store keeps is what is copied: a column that nobody copies would be lost', async () => {
  await using filled = await openFilled(1)
  const db = new Database(join(filled.path, 'parley.db'))
  const columns = db
    .prepare(`
      SELECT t.name || '.' || c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
      WHERE t.type = 'table' AND t.name NOT IN ('migration', 'store', 'clock') ORDER BY t.name, c.cid`)
    .raw()
    .all()
    .flat()
  db.close()
  // With a new one here, the sections of the archive and both stores' reading and writing of them have to follow.
  expect(columns).toEqual([
    ...['key', 'id', 'kind', 'last_seq', 'last_sent_at', 'last_version', 'version'].map(
      (name) => `conversation.${name}`,
    ),
    ...['version', 'token_hash', 'expires_at'].map((name) => `ended_session.${name}`),
    ...['user_id', 'conversation', 'from_seq', 'until_seq'].map((name) => `former_interval.${name}`),
    ...['conversation', 'seq', 'revision', 'text', 'since'].map((name) => `former_text.${name}`),
    ...['user_id', 'network_hash', 'seen_at'].map((name) => `known_network.${name}`),
    ...['conversation', 'user_id', 'delivered_seq', 'read_seq', 'version', 'from_seq', 'until_seq'].map(
      (name) => `member.${name}`,
    ),
    ...['sent_version', 'conversation', 'seq', 'sender', 'sent_at', 'text', 'client_message_id', 'revision'].map(
      (name) => `message.${name}`,
    ),
    ...['edited_at', 'deleted_at', 'changed_version', 'sender_ordinal', 'in_group'].map((name) => `message.${name}`),
    ...['token_hash', 'user_id', 'created_at', 'expires_at'].map((name) => `session.${name}`),
    ...['user_id', 'display_name', 'password_hash', 'created_at', 'last_seen_at', 'version'].map(
      (name) => `user.${name}`,
    ),
  ])
})

describe.skipIf(missing)(`from one store to the other${missing ? ` (skipped: ${missing})` : ''}`, () => {
  test('[P1] [P4] [P5] there and back everything is the same; ids, receipts and cursors go on', async () => {
    await using filled = await openFilled()
    const database = temporaryDatabase(server as string)
    const before = await inSqlite(filled.path)

    const there = await migrate(['--from', filled.path, '--to', database.uri])
    expect(there.output).toMatch(/103 messages, 2 texts; every row is the same\nSet MONGODB_URI/)
    expect(there.code).toBe(0)
    const store = await openMongoStore({ uri: database.uri })
    const last = before.messages.filter(({ conversationId }) => conversationId === 'dm:ada:bob').at(-1)!
    expect(await store.append(draft('ada', 'bob', 'one more'))).toMatchObject({ message: { seq: last.seq + 1 } })
    const named = before.messages.find(({ clientMessageId }) => clientMessageId === 'c1')!
    expect(await store.append(draft('ada', 'bob', named.text, { clientMessageId: 'c1' }))).toMatchObject({
      repeated: true,
      message: { seq: named.seq, version: named.version },
    })
    const range = { after: last.version, upTo: Number.MAX_SAFE_INTEGER, except: [] }
    const words: string[] = []
    for await (const page of store.changes('bob', range, 1_000))
      for (const change of page)
        words.push('message' in change ? `${change.kind} ${change.message.text}` : `${change.kind} ${change.version}`)
    expect(words.filter((word) => word.startsWith('message'))).toEqual([
      'message while bob is away',
      'message one more',
    ])
    expect((await store.conversations('cyd', null, 10)).map(({ id, unread }) => [id, unread])).toEqual([
      ['group:g1', 1],
      ['dm:ada:cyd', 33],
    ])
    expect(await store.textVersions({ conversationId: 'dm:ada:cyd', seq: 1 })).toMatchObject([
      { revision: 1, text: 'text 0' },
      { revision: 2, text: 'edited \0' },
      { revision: 3, text: 'edited again' },
    ])
    expect(await store.intervals('group:g1', 'bob')).toEqual([
      { fromSeq: 1, untilSeq: 1 },
      { fromSeq: 2, untilSeq: null },
    ])
    await store.close()

    const back = await migrate(['--from', database.uri, '--to', filled.other])
    expect(back.output).toMatch(/104 messages, 2 texts; every row is the same\nUnset MONGODB_URI/)
    const archive = await openMongoArchive(database.uri, silent)
    const inMongo = await allOf(archive)
    await archive[Symbol.asyncDispose]()
    const after = await inSqlite(filled.other)
    expect(after).toEqual(inMongo)
    expect({ ...after, messages: after.messages.filter(({ text }) => text !== 'one more') }).toMatchObject({
      users: before.users,
      sessions: before.sessions,
      endedSessions: before.endedSessions,
      knownNetworks: before.knownNetworks,
      messages: before.messages,
    })
    const again = await openSqliteStore({ directory: filled.other })
    const { message } = await again.append(draft('ada', 'bob', 'and one more'))
    expect(message.seq).toBe(last.seq + 2)
    expect(message.version).toBeGreaterThan(Math.max(...after.messages.map(({ version }) => version)))
    await again.close()
    await database.drop()
  })

  test('[P1] killed with -9 in the middle it is taken for no store, and goes on where it was', async () => {
    await using filled = await openFilled(4_500)
    const database = temporaryDatabase(server as string)
    const killed = await migrate(['--from', filled.path, '--to', database.uri], /^copying messages: 1,000 of/)
    expect(killed.code).toBeNull()
    const { output } = await failToStart({ MONGODB_URI: database.uri })
    expect(output).toMatch(/holds an unfinished copy of a store: run its migration again, or drop the database\.\n$/)
    const resumed = await migrate(['--from', filled.path, '--to', database.uri])
    expect(resumed.output).toMatch(/^going on behind what was copied before, in (conversations|messages)\n/)
    expect(resumed.output).toMatch(/4,503 messages, 2 texts; every row is the same/)

    const killedBack = await migrate(['--from', database.uri, '--to', filled.other], /^copying messages: 1,000 of/)
    expect(killedBack.code).toBeNull()
    await expect(openSqliteStore({ directory: filled.other })).rejects.toThrow(
      'holds an unfinished copy of another store',
    )
    const resumedBack = await migrate(['--from', database.uri, '--to', filled.other])
    expect(resumedBack.output).toMatch(/^going on behind what was copied before/)
    expect(await inSqlite(filled.other)).toEqual(await inSqlite(filled.path))
    await database.drop()
  })

  test('a target that holds something else is refused, and so is a source that is in use or none', async () => {
    await using filled = await openFilled()
    await using another = await openFilled(3)
    const database = temporaryDatabase(server as string)
    await expectRefusal(join(filled.path, 'nowhere'), database.uri, 'There is no Parley store in')
    await expectRefusal(database.uri, filled.other, 'There is no Parley store in the database')
    const running = await openSqliteStore({ directory: filled.path })
    await expectRefusal(filled.path, database.uri, 'is in use by another Parley process; stop that one first')
    await running.close()

    const store = await openMongoStore({ uri: database.uri })
    await expectRefusal(database.uri, filled.other, '1 Parley node works on the database')
    await store.close()
    await expectRefusal(filled.path, database.uri, 'holds a Parley store already')
    await expectRefusal(database.uri, another.path, 'holds a Parley store already')
    await database.drop()

    const begun = await openUnfinishedMongoArchive(database.uri, 'of somebody else', silent)
    await begun[Symbol.asyncDispose]()
    await expectRefusal(another.path, database.uri, 'holds an unfinished copy of another store')
    await database.drop()
  })
})
