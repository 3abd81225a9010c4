import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import Database from 'libsql'
import { describe, expect, test } from 'vitest'
import type { Log, StoredMessage } from '../../server/domain/ports.ts'
import { openForWriting, pragma, requireDurable } from '../../server/store/sqlite/connection.ts'
import { migrate, migrations } from '../../server/store/sqlite/migrations.ts'
import { openSqliteStore } from '../../server/store/sqlite/open.ts'
import { nodeStoreContract } from './node-store.ts'
import { draft, storeContract } from './store.ts'
import { temporaryDirectory, temporarySqlite } from './temporary-sqlite.ts'

storeContract('SQLite', () => temporarySqlite())
nodeStoreContract('SQLite', () => temporarySqlite())

const unavailable = { status: 'rejected', reason: { kind: 'unavailable', retryable: true } }

describe('SQLite: durability', () => {
  test('[P1] the settings that it rests on are in force', async () => {
    await using opened = await temporarySqlite()
    expect(opened.store.inspect().settings).toEqual({ journal_mode: 'wal', synchronous: 2, foreign_keys: 1 })
  })

  test('[P1] where SQLite does not take them it does not start', () => {
    const good = { journal_mode: 'wal', synchronous: 2, foreign_keys: 1 }
    requireDurable(good)
    for (const bad of [{ journal_mode: 'delete' }, { synchronous: 1 }, { foreign_keys: 0 }])
      expect(() => requireDurable({ ...good, ...bad })).toThrow('SQLite did not take the settings')
  })

  test('[P5] the backlog begins exactly behind the version, wherever that lies in the conversation', async () => {
    await using opened = await temporarySqlite()
    const { store } = opened
    const versions = [await store.version()]
    for (let i = 0; i < 9; i++) {
      versions.push((await store.append(draft('ada', 'bob', `${i}`))).message.version)
      await store.append(draft('ada', 'cleo', 'beside it'))
    }
    for (const [afterSeq, version] of versions.slice(0, -1).entries())
      expect(await store.backlog('bob', version, 0)).toEqual([{ conversationId: 'dm:ada:bob', afterSeq }])
    expect(await store.backlog('bob', versions.at(-1)!, 0)).toEqual([])
  })

  test('what arrives while a commit runs shares the next', async () => {
    await using opened = await temporarySqlite()
    const { store } = opened
    await Promise.all(Array.from({ length: 500 }, (_, i) => store.append(draft('ada', `user${i % 50}`, 'hi'))))
    expect(store.inspect()).toMatchObject({ commits: 1, operations: 500, failedCommits: 0 })
  })

  test('[P4] an id is known after a restart, and numbers and versions go on', async () => {
    await using first = await temporarySqlite()
    const sent = await first.store.append(draft('ada', 'bob', 'one', { clientMessageId: 'c1' }))
    const version = await first.store.version()
    await first.store.close()
    await using store = await openSqliteStore({ directory: first.directory })
    expect(await store.version()).toBeGreaterThanOrEqual(version)
    const again = await store.append(draft('ada', 'bob', 'one', { clientMessageId: 'c1' }))
    expect(again).toEqual({ ...sent, repeated: true })
    const { message } = await store.append(draft('ada', 'bob', 'two'))
    expect(message.seq).toBe(2)
    expect(message.version).toBeGreaterThan(version)
  })

  test('the directory and its files are for this account alone', async () => {
    await using opened = await temporarySqlite()
    const mode = (path: string) => statSync(path).mode & 0o777
    expect(mode(opened.directory)).toBe(0o700)
    for (const file of ['parley.db', 'parley.db-wal', 'parley.db-shm', 'parley.lock'])
      expect(mode(join(opened.directory, file))).toBe(0o600)
  })

  test('a deleted text and its former texts are soon in no file', async () => {
    await using opened = await temporarySqlite()
    const { store, directory } = opened
    const holding = (word: string) =>
      readdirSync(directory).filter((file) => readFileSync(join(directory, file)).includes(word))
    const place = { conversationId: 'dm:ada:bob', seq: 2 }
    await store.append(draft('ada', 'bob', 'before'))
    // A long one lies on pages of its own.
    await store.append(draft('ada', 'bob', `secret-1 ${'and so on '.repeat(399)}`))
    await store.append(draft('ada', 'bob', 'behind'))
    for (const revision of [1, 2, 3])
      await store.edit({ ...place, revision, text: `secret-${revision + 1}`, editedAt: new Date() })
    expect(holding('secret-')).not.toEqual([])
    await store.delete({ ...place, deletedAt: new Date() })
    await expect.poll(() => holding('secret-'), { interval: 100 }).toEqual([])
    const kept = await store.messages({ conversationId: 'dm:ada:bob', from: 1, to: 9, limit: 9, newest: false })
    expect(kept.map(({ text }) => text)).toEqual(['before', '', 'behind'])
  })
})

describe('SQLite: a commit that fails', () => {
  /** As a disk that is full or broken: some errors leave the transaction open, some have ended it. */
  test.each(['ABORT', 'ROLLBACK'])(
    '[P1] rejects its batch (%s), keeps nothing of it, and the next works',
    async (how) => {
      await using opened = await temporarySqlite()
      const { store, directory } = opened
      const kept = await store.append(draft('ada', 'bob', 'kept', { clientMessageId: 'c1' }))
      const other = new Database(join(directory, 'parley.db'))
      other.exec(`CREATE TRIGGER broken BEFORE INSERT ON message WHEN new.text = 'broken'
      BEGIN SELECT RAISE(${how}, 'database or disk is full'); END`)
      const results = await Promise.allSettled([
        store.append(draft('ada', 'bob', 'before')),
        store.append(draft('ada', 'cleo', 'a new conversation')),
        store.advance([{ conversationId: 'dm:ada:bob', userId: 'bob', deliveredSeq: 1, readSeq: 1 }]),
        store.append(draft('ada', 'bob', 'broken')),
        store.append(draft('ada', 'bob', 'after')),
      ])
      expect(results).toMatchObject(Array(5).fill(unavailable))
      expect(store.inspect().failedCommits).toBe(1)
      expect(await store.conversation('dm:ada:cleo')).toBeNull()
      expect(await store.receipts(['dm:ada:bob'])).toMatchObject([{ readSeq: 0 }, { readSeq: 0 }])

      other.exec('DROP TRIGGER broken')
      other.close()
      const texts = ['before', 'broken', 'after']
      await Promise.all(texts.map((text) => store.append(draft('ada', 'bob', text))))
      await store.append(draft('ada', 'cleo', 'a new conversation'))
      const messages = await store.messages({ conversationId: 'dm:ada:bob', from: 1, to: 9, limit: 9, newest: false })
      expect(messages.map(({ seq, text }) => [seq, text])).toEqual([
        [1, 'kept'],
        [2, 'before'],
        [3, 'broken'],
        [4, 'after'],
      ])
      expect(messages[1]!.version).toBeGreaterThan(kept.message.version)
    },
  )

  test('a writer that dies rejects what it had, says so, and comes back', async () => {
    const workers: Worker[] = []
    const remember = (worker: Worker) => workers.push(worker)
    process.on('worker', remember)
    const said: string[] = []
    let runsAgain = () => {}
    const again = new Promise<void>((resolve) => {
      runsAgain = resolve
    })
    const log: Log = { debug() {}, warn() {}, error: (_, words) => said.push(words), info: () => runsAgain() }
    await using opened = await temporarySqlite({ log })
    process.off('worker', remember)
    const { store } = opened
    await store.append(draft('ada', 'bob', 'one'))
    const pending = Promise.allSettled(Array.from({ length: 50 }, () => store.append(draft('ada', 'bob', 'two'))))
    const ended = workers.at(-1)!.terminate()
    expect(await pending).toMatchObject(Array(50).fill(unavailable))
    await ended
    await expect(store.ping()).rejects.toMatchObject({ kind: 'unavailable' })
    expect(said).toEqual(['the writer of the database ended; starting it again'])
    await again
    await store.ping()
    const { message } = await store.append(draft('ada', 'bob', 'three'))
    const stored = await store.messages({ conversationId: 'dm:ada:bob', from: 1, to: 99, limit: 99, newest: false })
    expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, i) => i + 1))
    expect(stored.at(-1)).toEqual(message)
  })

  test('a log that another reader holds on to is reported, and cut when it lets go', async () => {
    const warned: object[] = []
    const log: Log = { debug() {}, info() {}, error() {}, warn: (facts) => warned.push(facts) }
    await using opened = await temporarySqlite({ log, walBytesMax: 1_000_000 })
    const { store, directory } = opened
    const walBytes = () => statSync(join(directory, 'parley.db-wal')).size
    const commit = async (times: number) => {
      for (let i = 0; i < times; i++) await store.append(draft('ada', 'bob', 'hi'))
    }
    await commit(1)
    const other = new Database(join(directory, 'parley.db'))
    other.exec('BEGIN; CREATE TEMP TABLE held AS SELECT count(*) FROM message')
    await commit(260)
    expect(warned).toEqual([{ walBytes: expect.any(Number) }])
    const held = walBytes()
    other.exec('COMMIT')
    other.close()
    await commit(260)
    expect(warned).toHaveLength(1)
    expect(walBytes()).toBeLessThan(held / 2)
  })
})

test('[P5] SQLite: nothing below the end of a page of changes is missing, though the writer commits while it is read', async () => {
  await using opened = await temporarySqlite()
  const { store } = opened
  const all = { upTo: Number.MAX_SAFE_INTEGER, except: [] }
  await store.append(draft('ada', 'bob', 'first'))
  for (let round = 0; round < 200; round++) {
    const after = await store.version()
    const sends: Promise<{ message: StoredMessage }>[] = []
    const moves: Promise<unknown>[] = []
    for (let i = 0; i < 3; i++) {
      sends.push(store.append(draft('ada', 'bob', 'hi')))
      moves.push(store.advance([{ conversationId: 'dm:ada:bob', userId: 'bob', deliveredSeq: 1e9, readSeq: 0 }]))
    }
    const written = Promise.all([...sends, ...moves])
    // The commit is on its way to the writer; from here on this thread reads without a pause.
    await new Promise((resolve) => setImmediate(resolve))
    const pages = await Promise.all(
      Array.from({ length: 40 }, async () => {
        for await (const page of store.changes('bob', { after, ...all }, 200)) return page
        return []
      }),
    )
    await written
    const sent = (await Promise.all(sends)).map(({ message }) => message.version)
    for (const page of pages) {
      const versions = page.map(({ version }) => version)
      const end = versions.at(-1) ?? after
      expect(versions).toEqual(expect.arrayContaining(sent.filter((version) => version <= end)))
    }
  }
})

test('SQLite: versions are exact: a read after one repeats nothing, also while others write', async () => {
  await using opened = await temporarySqlite()
  const { store } = opened
  let writing = true
  const writers = Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      for (let n = 0; n < 30; n++) {
        const { message } = await store.append(draft('ada', `user${i}`, `${n}`))
        const { conversationId, seq } = message
        await store.advance([{ conversationId, userId: `user${i}`, deliveredSeq: seq, readSeq: 0 }])
      }
    }),
  ).finally(() => {
    writing = false
  })
  const seen: number[] = []
  const texts = new Map<string, string[]>()
  for (let after = 0, last = false; !last; ) {
    last = !writing
    await store.ping()
    const upTo = await store.version()
    for await (const changes of store.changes('ada', { after, upTo, except: [] }, 10)) {
      seen.push(...changes.map(({ version }) => version))
      for (const change of changes)
        if (change.kind === 'message')
          texts.set(change.conversationId, [...(texts.get(change.conversationId) ?? []), change.message.text])
    }
    after = upTo
  }
  await writers
  expect(seen.every((version, i) => i === 0 || version > seen[i - 1]!)).toBe(true)
  expect(texts.size).toBe(20)
  for (const found of texts.values()) expect(found).toEqual(Array.from({ length: 30 }, (_, n) => `${n}`))
})

test('SQLite: a deleted message’s texts are gone from the files of the store', async () => {
  const directory = temporaryDirectory()
  using _ = directory
  const data = join(directory.path, 'data')
  const store = await openSqliteStore({ directory: data })
  const secrets = ['the first secret', 'the second secret, which is much longer'.repeat(90)]
  const place = { conversationId: 'dm:ada:bob', seq: 1 }
  await store.append(draft('ada', 'bob', secrets[0]!))
  await store.append(draft('bob', 'ada', 'what stays'))
  await store.edit({ ...place, revision: 1, text: secrets[1]!, editedAt: new Date() })
  await store.delete({ ...place, deletedAt: new Date() })
  await store.close()
  const files = readdirSync(data).map((name) => readFileSync(join(data, name)))
  const contains = (text: string) => files.some((bytes) => bytes.includes(text))
  expect(contains('what stays')).toBe(true)
  expect(secrets.map((secret) => contains(secret.slice(0, 16)))).toEqual([false, false])
})

describe('SQLite: one process', () => {
  const opening = (directory: string) => {
    const module = fileURLToPath(new URL('../../dist/server/store/sqlite/open.js', import.meta.url))
    const script = `import(process.argv[1]).then(({ openSqliteStore }) => openSqliteStore({ directory: process.argv[2] }))
      .then((store) => store.close()).then(() => console.log('opened'), (error) => console.log(error.message))`
    return spawnSync(process.execPath, ['-e', script, module, directory], { encoding: 'utf8' }).stdout.trim()
  }

  test('a second one is refused in plain words, and let in after the first', async () => {
    await using opened = await temporarySqlite()
    const words = `The data directory ${opened.directory} is in use by another Parley process; stop that one first.`
    await expect(openSqliteStore({ directory: opened.directory })).rejects.toThrow(words)
    expect(opening(opened.directory)).toBe(words)
    await opened.store.append(draft('ada', 'bob', 'still served'))
    await opened.store.close()
    expect(opening(opened.directory)).toBe('opened')
  })
})

describe('SQLite: migrations', () => {
  const tables = (db: Database.Database) =>
    db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').raw().all()

  test('lead from every earlier version to the newest', () => {
    using directory = temporaryDirectory()
    const fresh = openForWriting(join(directory.path, 'fresh.db'))
    migrate(fresh)
    for (let from = 0; from <= migrations.length; from++) {
      const db = openForWriting(join(directory.path, `from-${from}.db`))
      migrate(db, migrations.slice(0, from))
      migrate(db)
      expect(pragma(db, 'user_version')).toBe(migrations.length)
      expect(tables(db)).toEqual(tables(fresh))
      const applied = db.prepare('SELECT version, applied_at FROM migration').raw().all()
      expect(applied).toEqual(migrations.map((_, i) => [i + 1, expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/)]))
      db.close()
    }
    fresh.close()
  })

  test('a step that fails leaves the file as it was, and can be taken again', () => {
    using directory = temporaryDirectory()
    const db = openForWriting(join(directory.path, 'parley.db'))
    migrate(db, ['CREATE TABLE one (a)'])
    const before = tables(db)
    expect(() => migrate(db, ['CREATE TABLE one (a)', 'CREATE TABLE two (a); SELECT * FROM nowhere'])).toThrow(
      'nowhere',
    )
    expect(tables(db)).toEqual(before)
    expect(pragma(db, 'user_version')).toBe(1)
    migrate(db, ['CREATE TABLE one (a)', 'CREATE TABLE two (a)'])
    expect(pragma(db, 'user_version')).toBe(2)
    db.close()
  })

  test('a file that a newer Parley wrote is refused in plain words', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.path, { recursive: true })
    const db = new Database(join(directory.path, 'parley.db'))
    db.exec('PRAGMA user_version = 999')
    db.close()
    const opening = openSqliteStore({ directory: directory.path })
    await expect(opening).rejects.toThrow(
      `The database has schema 999; this Parley knows schemas up to ${migrations.length}.`,
    )
    // What it had taken it gave back.
    await expect(openSqliteStore({ directory: directory.path })).rejects.toThrow('schema 999')
  })
})
