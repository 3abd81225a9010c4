import { describe, expect, test } from 'vitest'
import type { StoredMessage } from '../../server/domain/ports.ts'
import { pageSizes, readUndelivered } from './store-reader.ts'
import type { StoreWorld } from './store-world.ts'

export const replayTests = (world: StoreWorld): void => {
  const { send, edit, read } = world

  describe('undelivered', () => {
    test('are the messages above the user’s deliveredSeq, in order, at their latest state', async () => {
      const messages: StoredMessage[] = []
      for (let i = 0; i < 6; i++) messages.push(await send('ada', i % 2 ? 'bob' : 'cleo', `text ${i}`))
      const upTo = await world.present()
      await send('ada', 'bob', 'too late')
      const undelivered = (userId: string, limit = 1_000, after = 0) =>
        readUndelivered(world.store, userId, { after, upTo, limit })
      for (const limit of pageSizes) expect(await undelivered('ada', limit)).toEqual(messages)
      expect(await undelivered('ada', 4, messages[3]!.version)).toEqual(messages.slice(4))
      await world.advance('ada', 'dm:ada:bob', 2)
      expect(await undelivered('ada')).toEqual([messages[0], messages[2], messages[4], messages[5]])
      expect(await undelivered('bob', 2)).toEqual([messages[1], messages[3], messages[5]])
      expect(await undelivered('mallory')).toEqual([])

      // At the place where they were sent, whatever became of them.
      const edited = await edit(messages[2]!, 'edited')
      const deleted = await world.delete(messages[4]!)
      for (const limit of pageSizes)
        expect(await undelivered('ada', limit)).toEqual([messages[0], edited, deleted, messages[5]])
      expect(await undelivered('cleo', 1, messages[2]!.version)).toEqual([deleted])
    })

    test('of a conversation that was never read begin at its first message', async () => {
      const members = ['ada', 'bob', 'cleo']
      const sent = await Promise.all(Array.from({ length: 20 }, (_, i) => send('ada', 'group:g1', `${i}`, { members })))
      const inOrder = sent.toSorted((a, b) => a.seq - b.seq)
      for (const userId of members)
        expect(await readUndelivered(world.store, userId, { after: 0, limit: 7 })).toEqual(inOrder)
      await world.advance('bob', 'group:g1', 13)
      expect(await readUndelivered(world.store, 'bob', { after: 0, limit: 2 })).toEqual(inOrder.slice(13))
    })
  })

  describe('backlog', () => {
    test('names the conversations with more than so many messages after a version, and where those begin', async () => {
      await send('ada', 'bob', 'before')
      await send('bob', 'ada', 'and before')
      const after = await world.present()
      for (const [to, count] of [
        ['bob', 3],
        ['cleo', 2],
        ['dora', 1],
      ] as const)
        for (let i = 0; i < count; i++) await send('ada', to, `${i}`)
      expect(await world.store.backlog('ada', after, 1)).toHaveLength(2)
      const [backlog, ...others] = await world.store.backlog('ada', after, 2)
      expect(others).toEqual([])
      // An inexact store may begin earlier, never later.
      expect(backlog).toEqual({ conversationId: 'dm:ada:bob', afterSeq: expect.any(Number) })
      expect(backlog!.afterSeq).toBeGreaterThanOrEqual(0)
      expect(backlog!.afterSeq).toBeLessThanOrEqual(2)
      expect(await world.store.backlog('ada', 0, 4)).toEqual([{ conversationId: 'dm:ada:bob', afterSeq: 0 }])
      expect(await world.store.backlog('ada', after, 3)).toEqual([])
      expect(await world.store.backlog('ada', await world.present(), 0)).toEqual([])
    })

    test('counts messages that were sent, not those that changed', async () => {
      const messages = [await send('ada', 'bob', 'one'), await send('ada', 'bob', 'two')]
      const after = await world.present()
      for (const message of messages) await edit(message, 'edited')
      await world.delete(messages[0]!)
      await read('bob', 'dm:ada:bob', 2)
      expect(await world.store.backlog('bob', after, 0)).toEqual([])
      await send('ada', 'bob', 'three')
      expect(await world.store.backlog('bob', after, 0)).toMatchObject([{ conversationId: 'dm:ada:bob' }])
      expect(await world.store.backlog('bob', after, 1)).toEqual([])
      // A deleted message keeps its number, and so counts on.
      await world.delete(world.messages('dm:ada:bob')[2]!.state)
      expect(await world.store.backlog('bob', after, 0)).toHaveLength(1)
    })
  })

  describe('latestVersions', () => {
    const latest = async (...userIds: string[]) => {
      const versions = await world.store.latestVersions(userIds, 0)
      return userIds.map((userId) => versions.get(userId))
    }

    test('follow messages and receipts of each user', async () => {
      expect(await latest('ada', 'bob', 'cleo')).toEqual([undefined, undefined, undefined])
      const first = await send('ada', 'bob', 'one')
      const second = await send('ada', 'cleo', 'two')
      expect(await latest('ada', 'bob', 'cleo')).toEqual([second.version, first.version, second.version])
      const [receipt] = await read('bob', 'dm:ada:bob', 1)
      expect(await latest('ada', 'bob', 'cleo')).toEqual([receipt!.version, receipt!.version, second.version])
      const since = new Map([
        ['ada', receipt!.version],
        ['bob', receipt!.version],
      ])
      expect(await world.store.latestVersions(['ada', 'bob', 'cleo'], second.version)).toEqual(since)
      expect(await world.store.latestVersions([], 0)).toEqual(new Map())
    })

    test('follow edits, deletions and profiles', async () => {
      for (const userId of ['ada', 'bob', 'cleo']) await world.createUser(userId)
      const first = await send('ada', 'bob', 'one')
      await send('ada', 'bob', 'two')
      const third = await send('ada', 'cleo', 'three')
      const edited = await edit(first, 'edited')
      expect(await latest('ada', 'bob', 'cleo')).toEqual([edited.version, edited.version, third.version])
      const deleted = await world.delete(third)
      expect(await latest('ada', 'bob', 'cleo')).toEqual([deleted.version, edited.version, deleted.version])
      const { version } = await world.rename('bob', 'Bob')
      expect(await latest('ada', 'bob', 'cleo')).toEqual([version, version, deleted.version])
      expect(await world.store.latestVersions(['ada', 'bob', 'cleo'], deleted.version)).toEqual(
        new Map([
          ['ada', version],
          ['bob', version],
        ]),
      )
    })
  })
}
