import { describe, expect, test } from 'vitest'
import { versionAt, versionsPerMs } from '../../server/domain/version-time.ts'
import { readChanges, readUndelivered } from './store-reader.ts'
import { rises } from './store-subjects.ts'
import type { StoreWorld } from './store-world.ts'

export const lifeTests = (world: StoreWorld): void => {
  const { send, edit, read } = world

  describe('version', () => {
    /** What a busy machine may take between a look at the clock and the answer of a store is not counted. */
    const expectPresent = async (mostMs: number) => {
      const before = versionAt(Date.now())
      const version = await world.store.version()
      const after = versionAt(Date.now() + 1)
      expect(Number.isSafeInteger(version)).toBe(true)
      expect((before - version) / versionsPerMs).toBeLessThan(mostMs)
      expect((version - after) / versionsPerMs).toBeLessThan(mostMs)
      return version
    }

    test('[P9] is the present by the clock, whatever was written', async () => {
      const first = await expectPresent(1_000)
      await Promise.all(Array.from({ length: 500 }, (_, i) => send('eve', `user${i % 9}`, 'hi')))
      const second = await expectPresent(1_000)
      expect(second).toBeGreaterThan(first)
    })

    test('[P9] moves on by the clock alone', async () => {
      const start = await world.store.version()
      await expect.poll(() => world.store.version(), { interval: 5 }).toBeGreaterThan(start + 5 * versionsPerMs)
      await expectPresent(1_000)
    })

    test('no change that comes after it has a version at or below it', async () => {
      await world.createUser('ada')
      for (let i = 0; i < 20; i++) {
        const message = await behind(() => send('ada', `user${i}`, 'hi'))
        await behind(() => edit(message, 'edited'))
        await behind(async () => (await read(`user${i}`, message.conversationId, 1))[0]!)
        await behind(() => world.delete(message))
        await behind(() => world.rename('ada', `Ada ${i}`))
        await behind(() => world.createUser(`new${i}`))
      }
    })
    const behind = async <T extends { version: number }>(write: () => Promise<T>): Promise<T> => {
      const version = await world.store.version()
      const written = await write()
      expect(written.version).toBeGreaterThan(version)
      return written
    }

    test('reaches what was acknowledged', async () => {
      for (let i = 0; i < 20; i++) {
        const { version } = await send('ada', 'bob', `${i}`)
        await expect.poll(() => world.store.version(), { interval: 1 }).toBeGreaterThanOrEqual(version)
      }
    })
  })

  test('[P3] the promises of writes resolve in the order of their versions', async () => {
    for (let i = 0; i < 10; i++) await world.createUser(`user${i}`)
    const messages = await Promise.all(Array.from({ length: 40 }, (_, i) => send(`user${i % 5}`, 'bob', `${i}`)))
    const resolved: number[] = []
    const note = ({ version }: { version: number }) => void resolved.push(version)
    await Promise.all(
      messages.flatMap((message, i) => [
        send(`user${i % 10}`, 'bob', 'more').then(note),
        (i % 2 ? edit(message, 'edited') : world.delete(message)).then(note),
        world.rename(`user${i % 10}`, `User ${i}`).then(note),
      ]),
    )
    expect(resolved).toHaveLength(120)
    expect(rises(resolved)).toBe(true)
  })

  test('every read sees what was acknowledged before it', async () => {
    await world.createUser('ada')
    for (let i = 1; i <= 30; i++) {
      const message = await send('ada', 'bob', `${i}`)
      const place = { conversationId: 'dm:ada:bob', seq: i }
      const page = { conversationId: 'dm:ada:bob', from: i, to: i, limit: 1, newest: false }
      expect((await world.store.conversation('dm:ada:bob'))!.lastSeq).toBe(i)
      expect(await world.store.messages(page)).toEqual([message])
      const edited = await edit(message, 'edited')
      expect(await world.store.messagesAt([place])).toEqual([edited])
      const [receipt] = await read('bob', 'dm:ada:bob', i)
      expect(await world.store.receipts(['dm:ada:bob'])).toContainEqual(receipt)
      const profile = await world.rename('ada', `Ada ${i}`)
      expect(await world.store.profiles(['ada'])).toEqual([profile])
      const after = message.version - 1
      for (const reader of ['ada', null])
        expect(await readChanges(world.store, reader, { after })).toEqual(world.changes(reader, after))
      expect(await readUndelivered(world.store, 'ada', { after })).toEqual([edited])
      const deleted = await world.delete(message)
      expect(await world.store.messages(page)).toEqual([deleted])
    }
  })

  test('ping answers while the store serves; a closed store is unavailable and keeps what it took', async () => {
    await world.store.ping()
    const first = await send('ada', 'bob', 'first')
    const taken = Promise.all(Array.from({ length: 100 }, (_, i) => send('ada', 'bob', `${i}`)))
    const edited = edit(first, 'edited')
    const closed = world.store.close()
    expect(await taken).toHaveLength(100)
    expect(await edited).toMatchObject({ revision: 2 })
    await closed
    await world.store.close()
    const { store } = world
    const place = { conversationId: 'dm:ada:bob', seq: 1 }
    const calls: (() => Promise<unknown>)[] = [
      () => store.ping(),
      () => send('ada', 'bob', 'late'),
      () => store.edit({ ...place, revision: 2, text: 'late', editedAt: new Date() }),
      () => store.delete({ ...place, deletedAt: new Date() }),
      () => store.textVersions(place),
      () => world.stored('dm:ada:bob'),
      () => store.messagesAt([place]),
      () => store.intervals('dm:ada:bob', 'ada'),
      () => store.profiles(['ada']),
      () => store.updateProfile('ada', { displayName: 'late' }),
      async () => {
        for await (const _ of store.changes('ada', { after: 0, upTo: first.version, except: [] }, 10));
      },
      async () => {
        for await (const _ of store.allChanges({ after: 0, upTo: first.version }, 10));
      },
    ]
    for (const call of calls) await expect(call()).rejects.toMatchObject({ kind: 'unavailable', retryable: true })
  })
}
