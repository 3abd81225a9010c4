import { Mongoose } from 'mongoose'
import { describe, expect, test, vi } from 'vitest'
import type { Change, Log, Store, StoredMessage } from '../../server/domain/ports.ts'
import { versionsPerMs } from '../../server/domain/version-time.ts'
import { lateMs } from '../../server/store/mongo/limits.ts'
import { type MongoOptions, openMongoStore } from '../../server/store/mongo/open.ts'
import { startHeldNetwork } from '../harness/held-network.ts'
import { findTestMongo, temporaryDatabase } from '../harness/mongo.ts'
import { nodeStoreContract } from './node-store.ts'
import { draft, storeContract } from './store.ts'

const { uri: server, missing } = await findTestMongo()

// To drop a database of a thousand documents takes seconds where a busy machine lends itself to many.
vi.setConfig({ hookTimeout: 60_000 })

/** A database of its own, and as many stores on it as are opened. */
const openDatabase = async () => {
  const database = temporaryDatabase(server as string)
  const stores: AsyncDisposable[] = []
  const inspecting = new Mongoose().createConnection(database.uri)
  return {
    uri: database.uri,
    /** The documents themselves. */
    collection: (name: string) => inspecting.collection<{ _id: string } & Record<string, unknown>>(name),
    async open(options: Partial<MongoOptions> = {}) {
      const store = await openMongoStore({ uri: database.uri, ...options })
      stores.push(store)
      return store
    },
    async [Symbol.asyncDispose]() {
      for (const store of stores) await store[Symbol.asyncDispose]()
      await inspecting.close()
      await database.drop()
    },
  }
}

const openOne = async () => {
  const database = await openDatabase()
  const store = await database.open()
  return { store, close: () => database[Symbol.asyncDispose]() }
}

const all = (store: Store, conversationId = 'dm:ada:bob'): Promise<StoredMessage[]> =>
  store.messages({ conversationId, from: 1, to: 1_000_000, limit: 1_000_000, newest: false })

/** As a reader that resumes: from a version on; what comes again is dropped. */
const changedSince = async (store: Store, userId: string, version: number): Promise<StoredMessage[]> => {
  const found = new Map<string, StoredMessage>()
  const range = { after: version - store.overlap, upTo: Number.MAX_SAFE_INTEGER, except: [] }
  for await (const page of store.changes(userId, range, 50)) {
    for (const change of page) if ('message' in change) found.set(change.message.id, change.message)
  }
  return [...found.values()]
}

const isDense = (messages: StoredMessage[]) => messages.every(({ seq }, i) => seq === i + 1)
const rises = (numbers: number[]) => numbers.every((number, i) => i === 0 || number > numbers[i - 1]!)

describe.skipIf(missing)(`MongoDB${missing ? ` (skipped: ${missing})` : ''}`, () => {
  storeContract('MongoDB', openOne)
  nodeStoreContract('MongoDB', openOne)

  describe('two nodes', () => {
    test('[P3] [P4] [P5] 8 writers on one conversation: dense, nothing twice, and a reader from any version omits nothing', async () => {
      await using database = await openDatabase()
      // As far apart as they may be.
      const stores = [
        await database.open({ now: () => Date.now() + 1_500 }),
        await database.open({ now: () => Date.now() - 1_500 }),
      ]
      const reader = await database.open()
      let isWriting = true
      const followed = new Map<string, StoredMessage>()
      const following = (async () => {
        for (let position = 0, isLast = false; !isLast; ) {
          isLast = !isWriting
          for (const message of await changedSince(reader, 'bob', position)) {
            followed.set(message.id, message)
            position = Math.max(position, message.version)
          }
        }
      })()
      const acknowledged: StoredMessage[] = []
      await Promise.all(
        Array.from({ length: 8 }, async (_, writer) => {
          for (let n = 0; n < 20; n++) {
            const said = draft(writer % 4 < 2 ? 'ada' : 'bob', writer % 4 < 2 ? 'bob' : 'ada', `${writer} ${n}`, {
              clientMessageId: `${writer} ${n}`,
            })
            // Now and then the answer is lost, and the client asks another node.
            const asked = n % 5 === 0 ? stores : [stores[writer % 2]!]
            const answers = await Promise.all(asked.map((store) => store.append(said)))
            expect(new Set(answers.map(({ message }) => message.id)).size).toBe(1)
            expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1)
            acknowledged.push(answers[0]!.message)
          }
        }),
      )
      isWriting = false
      await following
      const stored = await all(reader)
      expect(stored).toHaveLength(160)
      expect(isDense(stored)).toBe(true)
      expect(rises(stored.map(({ version }) => version))).toBe(true)
      expect(acknowledged.toSorted((a, b) => a.seq - b.seq)).toEqual(stored)
      expect([...followed.values()].toSorted((a, b) => a.seq - b.seq)).toEqual(stored)
      for (const [i, { version }] of stored.entries()) {
        if (i % 20 !== 0) continue
        const ids = new Set((await changedSince(reader, 'ada', version)).map(({ id }) => id))
        expect(stored.slice(i + 1).filter(({ id }) => !ids.has(id))).toEqual([])
      }
    })

    test('no version is given twice, whatever the clocks say', async () => {
      await using database = await openDatabase()
      const now = Date.now()
      const stores = [await database.open({ now: () => now }), await database.open({ now: () => now })]
      const sent = await Promise.all(
        Array.from({ length: 200 }, (_, i) => stores[i % 2]!.append(draft(`user${i}`, 'bob', 'hi'))),
      )
      expect(new Set(sent.map(({ message }) => message.version)).size).toBe(200)
      expect(stores.map((store) => store.inspect().node)).toEqual([0, 1])
    })

    test('[P6] the same receipt is moved from two sides: forward only, and both are told where it is', async () => {
      await using database = await openDatabase()
      const stores = [await database.open(), await database.open()]
      for (let i = 0; i < 20; i++) await stores[0]!.append(draft('ada', 'bob', `${i}`))
      const move = (store: Store, deliveredSeq: number, readSeq: number) =>
        store.advance([{ conversationId: 'dm:ada:bob', userId: 'bob', deliveredSeq, readSeq }])
      const moved = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 ? move(stores[1]!, 0, i + 1) : move(stores[0]!, i + 1, 0))),
      )
      const [receipt] = (await stores[0]!.receipts(['dm:ada:bob'])).filter(({ userId }) => userId === 'bob')
      expect(receipt).toMatchObject({ deliveredSeq: 20, readSeq: 20 })
      expect(moved.flat().map(({ version }) => version)).toContain(receipt!.version)
    })

    test('[P4] [P5] a message whose node ended before it told anybody is found behind the version of its repeat', async () => {
      await using database = await openDatabase()
      const store = await database.open()
      const first = await store.append(draft('ada', 'bob', 'one'))
      const long = 60_000 * versionsPerMs
      const forgotten = { version: first.message.version - long, _id: first.message.version - long }
      const { _id, ...document } = (await database.collection('messages').findOne({ seq: 1 }))!
      await database.collection('messages').insertOne({
        ...document,
        ...(forgotten as object as { _id: string }),
        seq: 2,
        senderOrdinal: 2,
        text: 'two',
        clientMessageId: 'c2',
      })
      expect(await changedSince(store, 'bob', first.message.version + store.overlap)).toEqual([])
      const { message } = await store.append(draft('ada', 'bob', 'two', { clientMessageId: 'c2' }))
      expect(message).toMatchObject({ seq: 2, text: 'two' })
      expect(message.version).toBeGreaterThan(first.message.version)
      const told = await changedSince(store, 'bob', first.message.version + store.overlap)
      expect(told).toEqual([message])
      const everything: Change[] = []
      for await (const page of store.allChanges({ after: first.message.version, upTo: message.version }, 10))
        everything.push(...page)
      expect(everything).toMatchObject([{ kind: 'message', version: message.version, message }])
      // From here on it was acknowledged, and a repeat changes nothing.
      const again = await store.append(draft('ada', 'bob', 'two', { clientMessageId: 'c2' }))
      expect(again).toEqual({ message, repeated: true })
      expect((await store.append(draft('bob', 'ada', 'three'))).message.seq).toBe(3)
    })

    test('[P5] an edit or a deletion that was stored too late is found behind the version of its repeat', async () => {
      await using database = await openDatabase()
      const store = await database.open()
      const place = { conversationId: 'dm:ada:bob', seq: 1 }
      await store.append(draft('ada', 'bob', 'one'))
      const edit = () => store.edit({ ...place, revision: 1, text: 'two', editedAt: new Date() })
      const { message: edited } = await edit()
      /** As if the node that asked for it had died, and the network had kept what it asked for. */
      const makeLate = () =>
        database.collection('messages').updateOne(place, { $set: { changedAt: new Date(Date.now() + 3 * lateMs) } })
      await makeLate()
      const again = await edit()
      expect(again).toMatchObject({ repeated: false, message: { ...edited, version: expect.any(Number) } })
      expect(again.message.version).toBeGreaterThan(edited.version)
      expect(await edit()).toEqual({ message: again.message, repeated: true })
      const remove = () => store.delete({ ...place, deletedAt: new Date() })
      const { message: deleted } = await remove()
      await makeLate()
      const later = await remove()
      expect(later.message).toEqual({ ...deleted, version: later.message.version })
      expect(later.message.version).toBeGreaterThan(deleted.version)
      expect(await remove()).toEqual({ message: later.message, repeated: true })
    })

    test('[P5] edits from two nodes at once: one wins each revision, and a reader from any version has the last', async () => {
      await using database = await openDatabase()
      const stores = [await database.open(), await database.open()]
      await stores[0]!.append(draft('ada', 'bob', 'one'))
      const versions = [0]
      for (let revision = 1; revision <= 10; revision++) {
        const edits = await Promise.allSettled(
          [0, 1, 2, 3].map((n) =>
            stores[n % 2]!.edit({
              conversationId: 'dm:ada:bob',
              seq: 1,
              revision,
              text: `${revision} by ${n}`,
              editedAt: new Date(),
            }),
          ),
        )
        const won = edits.flatMap((edit) => (edit.status === 'fulfilled' ? [edit.value.message] : []))
        expect(won).toHaveLength(1)
        versions.push(won[0]!.version)
      }
      const [stored] = await all(stores[1]!)
      for (const version of versions.slice(0, -1))
        expect(await changedSince(stores[0]!, 'bob', version)).toEqual([stored])
    })

    test('[P1] a node that ended between a message and its conversation leaves nothing behind that others stumble over', async () => {
      await using database = await openDatabase()
      const store = await database.open()
      for (const text of ['one', 'two']) await store.append(draft('ada', 'bob', text))
      await database.collection('conversations').updateOne({ _id: 'dm:ada:bob' }, { $set: { lastSeq: 1 } })
      expect((await store.conversation('dm:ada:bob'))!.lastSeq).toBe(2)
      expect(
        await store.advance([{ conversationId: 'dm:ada:bob', userId: 'bob', deliveredSeq: 2, readSeq: 0 }]),
      ).toMatchObject([{ deliveredSeq: 2 }])
      expect((await store.append(draft('ada', 'bob', 'three'))).message.seq).toBe(3)
      expect(isDense(await all(store))).toBe(true)
    })
  })

  describe('a database that is away', () => {
    /** A store behind a network, so that nothing else is known of the server than its address there. */
    const behind = async (log?: Log) => {
      const database = await openDatabase()
      const { port, search } = new URL(database.uri.split(',').at(0)!.replace('mongodb:', 'http:'))
      const network = await startHeldNetwork(Number(port))
      const { pathname } = new URL(database.uri.replace('mongodb:', 'http:'))
      const uri = `mongodb://127.0.0.1:${network.port}${pathname}${search ? `${search}&` : '?'}directConnection=true`
      const store = await database.open({ uri, ...(log && { log }) })
      return {
        database,
        network,
        store,
        async [Symbol.asyncDispose]() {
          network.restore()
          network.deliver()
          await database[Symbol.asyncDispose]()
          await network[Symbol.asyncDispose]()
        },
      }
    }

    test('is unavailable within 5 s, and everything goes on when it is back', async () => {
      const said: string[] = []
      const hear = (_: object, words: string) => void said.push(words)
      await using opened = await behind({ debug() {}, info: hear, warn: hear, error: hear })
      const { store, network } = opened
      await store.append(draft('ada', 'bob', 'one', { clientMessageId: 'c1' }))
      network.cut()
      const asked = performance.now()
      const unavailable = { kind: 'unavailable', retryable: true }
      await Promise.all([
        expect(store.append(draft('ada', 'bob', 'two', { clientMessageId: 'c2' }))).rejects.toMatchObject(unavailable),
        expect(all(store)).rejects.toMatchObject(unavailable),
        expect(store.ping()).rejects.toMatchObject(unavailable),
      ])
      expect(performance.now() - asked).toBeLessThan(6_000)
      network.restore()
      const [first, second] = await Promise.all(
        ['one', 'two'].map((text, i) =>
          eventually(() => store.append(draft('ada', 'bob', text, { clientMessageId: `c${i + 1}` }))),
        ),
      )
      expect([first!.message.seq, first!.repeated, second!.message.seq]).toEqual([1, true, 2])
      expect((await all(store)).map(({ text }) => text)).toEqual(['one', 'two'])
      expect(said).toContain('MongoDB cannot be reached; nothing can be read or written until it can')
      expect(said).toContain('MongoDB can be reached again')
    })

    test('[P5] a message that is held up on its way for longer than anybody reads back is found by those who read on', async () => {
      await using opened = await behind()
      const { store, network, database } = opened
      const reader = await database.open()
      const before = await store.append(draft('ada', 'bob', 'before'))
      const isOnItsWay = network.holdFrom('late')
      const late = store.append(draft('ada', 'bob', 'late', { clientMessageId: 'c1' }))
      const refused = expect(late).rejects.toMatchObject({ kind: 'unavailable' })
      await isOnItsWay
      await refused
      // Others go on meanwhile, until nobody who reads goes back far enough for the version that the message had.
      const tooLate = before.message.version + lateMs * 1.2 * versionsPerMs
      const goOn = async (): Promise<StoredMessage> => {
        // On a busy machine the database may take longer than a write may.
        const written = await reader.append(draft('ada', 'cleo', 'meanwhile')).catch(() => null)
        return written && written.message.version > tooLate ? written.message : goOn()
      }
      const message = await goOn()
      network.deliver()
      await expect
        .poll(async () => (await changedSince(reader, 'bob', message.version + reader.overlap)).map(({ text }) => text))
        .toContain('late')
      const stored = await all(reader)
      expect(stored.map(({ seq, text }) => [seq, text])).toEqual([
        [1, 'before'],
        [2, 'late'],
      ])
      expect(await reader.append(draft('ada', 'bob', 'late', { clientMessageId: 'c1' }))).toMatchObject({
        repeated: true,
        message: { seq: 2 },
      })
    })

    test('[P5] an edit that is held up on its way for longer than anybody reads back is found, and told late', async () => {
      await using opened = await behind()
      const { store, network, database } = opened
      const reader = await database.open()
      const told: Change[] = []
      store.onLate((changes) => void told.push(...changes))
      const before = await store.append(draft('ada', 'bob', 'one'))
      const isOnItsWay = network.holdFrom('two, late')
      const place = { conversationId: 'dm:ada:bob', seq: 1 }
      const edit = { ...place, revision: 1, text: 'two, late', editedAt: new Date() }
      const refused = expect(store.edit(edit)).rejects.toMatchObject({ kind: 'unavailable' })
      await isOnItsWay
      await refused
      const tooLate = before.message.version + lateMs * 1.2 * versionsPerMs
      await expect.poll(() => reader.version()).toBeGreaterThan(tooLate)
      const readOn = await reader.version()
      network.deliver()
      await expect
        .poll(async () => (await changedSince(reader, 'bob', readOn + reader.overlap)).map(({ text }) => text))
        .toEqual(['two, late'])
      const [message] = await all(reader)
      expect(message).toMatchObject({ revision: 2, text: 'two, late' })
      expect(await reader.edit(edit)).toEqual({ message, repeated: true })
      await expect
        .poll(() => told)
        .toEqual([{ kind: 'messageChanged', version: message!.version, conversationId: 'dm:ada:bob', message }])
    })

    test('[P5] a message that turns up between being looked for and being stored again is found by those who read on', async () => {
      await using opened = await behind()
      const { store, network, database } = opened
      const reader = await database.open()
      const held = network.holdEach('late')
      const late = store.append(draft('ada', 'bob', 'late', { clientMessageId: 'c1' }))
      const refused = expect(late).rejects.toMatchObject({ kind: 'unavailable' })
      const { value: first } = await held.next()
      const { value: second } = await held.next()
      await refused
      const { message } = await reader.append(draft('ada', 'cleo', 'meanwhile'))
      await first.deliver()
      await second.deliver()
      await expect
        .poll(async () => (await changedSince(reader, 'bob', message.version + reader.overlap)).map(({ text }) => text))
        .toEqual(['late'])
      expect((await all(reader)).map(({ seq, text }) => [seq, text])).toEqual([[1, 'late']])
    })
  })
})

/** As a client does it: what is unavailable is tried again. */
const eventually = async <T>(ask: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if ((error as { kind?: string }).kind !== 'unavailable') throw error
    }
  }
}
