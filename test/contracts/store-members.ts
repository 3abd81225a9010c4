import { describe, expect, test } from 'vitest'
import type { UserId } from '../../server/contract/index.ts'
import type { StoredMessage } from '../../server/domain/ports.ts'
import { pageSizes, readChanges, readUndelivered } from './store-reader.ts'
import type { StoreWorld } from './store-world.ts'

const group = 'group:g1'

export const memberTests = (world: StoreWorld): void => {
  const say = async (...texts: string[]): Promise<StoredMessage[]> => {
    const said: StoredMessage[] = []
    for (const text of texts) said.push(await world.send('ada', group, text, { members: ['ada', 'bob'] }))
    return said
  }
  const lastSeq = async () => (await world.store.conversation(group))!.lastSeq
  const intervals = (userId: UserId) => world.store.intervals(group, userId)

  /** The texts of the messages that come to a user, in every way in which messages come. */
  const reads = async (userId: UserId, after = 0): Promise<string[]> => {
    const undelivered = await readUndelivered(world.store, userId, { after })
    for (const limit of pageSizes) {
      const changes = await readChanges(world.store, userId, { after, limit })
      const messages = changes.flatMap((change) => (change.kind === 'message' ? [change.message] : []))
      expect(messages).toEqual(undelivered)
    }
    return undelivered.map(({ text }) => text)
  }
  const listed = async (userId: UserId) =>
    (await world.store.conversations(userId, null, 10)).find(({ id }) => id === group)

  describe('members', () => {
    test('of a direct conversation are both people, each with one open interval from its beginning', async () => {
      await world.send('ada', 'bob', 'hi')
      await world.send('ada', 'ada', 'a note')
      for (const userId of ['ada', 'bob'])
        expect(await world.store.intervals('dm:ada:bob', userId)).toEqual([{ fromSeq: 1, untilSeq: null }])
      expect(await world.store.intervals('dm:ada:ada', 'ada')).toEqual([{ fromSeq: 1, untilSeq: null }])
      expect(await world.store.intervals('dm:ada:bob', 'eve')).toEqual([])
      expect(await world.store.groups('ada')).toEqual([])
    })

    test('of a group are those whom it was created with, and may read it from its beginning', async () => {
      await say('one')
      await world.send('cleo', 'group:g2', 'hi', { members: ['cleo', 'ada'] })
      for (const userId of ['ada', 'bob']) expect(await intervals(userId)).toEqual([{ fromSeq: 1, untilSeq: null }])
      expect(await intervals('cleo')).toEqual([])
      expect((await world.store.groups('ada')).toSorted()).toEqual([group, 'group:g2'])
      expect(await world.store.groups('bob')).toEqual([group])
      await world.send('ada', 'bob', 'direct')
      const all = await world.store.conversationsOf('ada')
      expect(all.toSorted()).toEqual(['dm:ada:bob', group, 'group:g2'])
      expect((await world.store.groups('ada')).toSorted()).toEqual([group, 'group:g2'])
      expect(await world.store.conversationsOf('eve')).toEqual([])
      expect(await world.store.intervals('group:none', 'ada')).toEqual([])
    })

    test('[P9] who joins sees nothing of what was before, if the group says so', async () => {
      const [, second] = await say('one', 'two', 'three')
      await world.addMember(group, 'cleo', 4)
      expect(await intervals('cleo')).toEqual([{ fromSeq: 4, untilSeq: null }])
      expect(await world.store.groups('cleo')).toEqual([group])
      expect((await world.store.conversation(group))!.members.toSorted()).toEqual(['ada', 'bob', 'cleo'])
      expect(await reads('cleo')).toEqual([])
      expect(await listed('cleo')).toBeUndefined()
      expect(await world.store.backlog('cleo', 0, 0)).toEqual([])

      await world.edit(second!, 'two, edited')
      await say('four', 'five')
      expect(await reads('cleo')).toEqual(['four', 'five'])
      expect(await listed('cleo')).toMatchObject({ lastMessage: { text: 'five' }, unread: 2 })
      expect(await listed('bob')).toMatchObject({ lastMessage: { text: 'five' }, unread: 5 })
      expect(await world.store.backlog('cleo', 0, 1)).toMatchObject([{ conversationId: group }])
      expect(await world.store.backlog('cleo', 0, 2)).toEqual([])
      const changed = (await readChanges(world.store, 'cleo', { after: second!.version })).map(({ kind }) => kind)
      expect(changed.filter((kind) => kind !== 'receipt')).toEqual(['message', 'message'])
    })

    test('who joins a group that shows its past reads it all', async () => {
      const [first] = await say('one', 'two')
      await world.addMember(group, 'cleo', 1)
      await say('three')
      expect(await intervals('cleo')).toEqual([{ fromSeq: 1, untilSeq: null }])
      expect(await reads('cleo')).toEqual(['one', 'two', 'three'])
      expect(await reads('cleo', first!.version)).toEqual(['two', 'three'])
      expect(await listed('cleo')).toMatchObject({ lastMessage: { text: 'three' }, unread: 3 })
    })

    test('[P9] who was removed sees nothing of what comes after', async () => {
      await say('one')
      const last = (await say('two'))[0]!
      await world.addMember(group, 'cleo', 1)
      await world.removeMember(group, 'bob')
      const after = await world.present()
      expect(await intervals('bob')).toEqual([{ fromSeq: 1, untilSeq: 2 }])
      expect((await world.store.conversation(group))!.members.toSorted()).toEqual(['ada', 'cleo'])
      expect(await world.store.groups('bob')).toEqual([])
      expect(await world.store.conversationsOf('bob')).toEqual([])
      expect((await world.store.receipts([group])).map(({ userId }) => userId).toSorted()).toEqual(['ada', 'cleo'])

      const [third] = await say('three', 'four')
      await world.edit(third!, 'three, edited')
      await world.read('cleo', group, 3)
      expect(await world.advance('bob', group, 4, 4)).toEqual([])
      expect(await reads('bob', after)).toEqual([])
      const again = await readChanges(world.store, 'bob', { after: after - world.store.overlap, limit: 2 })
      const seqs = again.map((change) => ('message' in change ? change.message.seq : 0))
      expect(Math.max(0, ...seqs)).toBeLessThanOrEqual(last.seq)
      expect(await readChanges(world.store, 'bob', { after })).toEqual([])
      expect(await world.store.backlog('bob', after, 0)).toEqual([])
      expect((await world.store.latestVersions(['bob'], after)).size).toBe(0)
      const summary = await listed('bob')
      if (summary) expect(summary).toMatchObject({ lastMessage: last })
    })

    test('[P8] [P9] who was removed still has what was said before, and no change of a profile after', async () => {
      for (const userId of ['ada', 'bob']) await world.createUser(userId)
      const before = await world.present()
      await say('one', 'two')
      await world.removeMember(group, 'bob')
      await say('three')
      await world.rename('ada', 'Ada Lovelace')
      expect(await reads('bob', before)).toEqual(['one', 'two'])
      const kinds = (await readChanges(world.store, 'bob', { after: before })).map(({ kind }) => kind)
      expect(kinds).not.toContain('user')
    })

    test('[P9] who comes back sees what was before and what is after, and nothing between', async () => {
      await say('one', 'two')
      await world.removeMember(group, 'bob')
      await say('three', 'four')
      await world.addMember(group, 'bob', (await lastSeq()) + 1)
      expect(await intervals('bob')).toEqual([
        { fromSeq: 1, untilSeq: 2 },
        { fromSeq: 5, untilSeq: null },
      ])
      expect(await listed('bob')).toMatchObject({ lastMessage: { text: 'two' } })
      await say('five')
      expect(await reads('bob')).toEqual(['one', 'two', 'five'])
      expect(await listed('bob')).toMatchObject({ lastMessage: { text: 'five' } })
      expect(await world.store.groups('bob')).toEqual([group])
      expect(await world.store.backlog('bob', 0, 2)).toMatchObject([{ conversationId: group, afterSeq: 0 }])
      expect(await world.store.backlog('bob', 0, 3)).toEqual([])

      const after = await world.present()
      for (const seq of [2, 3, 5]) await world.edit(world.messages(group)[seq - 1]!.state, `edited ${seq}`)
      for (const limit of pageSizes) {
        const changes = await readChanges(world.store, 'bob', { after, limit })
        expect(changes).toEqual(world.changes('bob', after))
        expect(changes).toHaveLength(2)
      }
    })

    test('[P9] who comes back to a group that shows its past reads on from behind the last interval', async () => {
      await say('one')
      await world.removeMember(group, 'bob')
      await say('two')
      await world.addMember(group, 'bob', 1)
      const [first, ...rest] = await intervals('bob')
      expect([first!.fromSeq, rest.at(-1)?.untilSeq]).toEqual([1, null])
      for (const [i, { fromSeq }] of rest.entries())
        expect(fromSeq).toBe((i === 0 ? first! : rest[i - 1]!).untilSeq! + 1)
      expect(await reads('bob')).toEqual(['one', 'two'])
    })

    test('[P9] who comes and goes while nothing is said may read nothing', async () => {
      await say('one')
      await world.addMember(group, 'cleo', 2)
      await world.removeMember(group, 'cleo')
      await say('two')
      const mayRead = (seq: number) => async () =>
        (await intervals('cleo')).some(
          ({ fromSeq, untilSeq }) => fromSeq <= seq && seq <= (untilSeq ?? Number.POSITIVE_INFINITY),
        )
      expect([await mayRead(1)(), await mayRead(2)()]).toEqual([false, false])
      expect(await reads('cleo')).toEqual([])
      await world.addMember(group, 'cleo', 3)
      await say('three')
      expect([await mayRead(1)(), await mayRead(2)(), await mayRead(3)()]).toEqual([false, false, true])
      expect(await reads('cleo')).toEqual(['three'])
      expect(await listed('cleo')).toMatchObject({ lastMessage: { text: 'three' }, unread: 1 })
    })

    test('[P9] who is removed while messages come reads up to one of them, in every way', async () => {
      await say('one', 'two')
      const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`)
      await Promise.all([
        ...texts.slice(0, 10).map((text) => say(text)),
        world.store.removeMember(group, 'bob'),
        ...texts.slice(10).map((text) => say(text)),
      ])
      const [interval, ...others] = await intervals('bob')
      expect([interval!.fromSeq, others]).toEqual([1, []])
      const untilSeq = interval!.untilSeq!
      expect(untilSeq).toBeGreaterThanOrEqual(2)
      const all = (await world.stored(group)).map(({ text }) => text)
      expect(all).toHaveLength(22)
      expect(await reads('bob')).toEqual(all.slice(0, untilSeq))
      expect(await reads('ada')).toEqual(all)
      expect((await world.store.receipts([group])).map(({ userId }) => userId)).toEqual(['ada'])
    })

    test('adding a member and removing a stranger change nothing', async () => {
      await say('one', 'two')
      await world.addMember(group, 'cleo', 2)
      const version = await world.present()
      await world.store.addMember(group, 'cleo', 1)
      await world.store.addMember(group, 'cleo', 3)
      await world.store.addMember(group, 'ada', 3)
      await world.store.removeMember(group, 'eve')
      await say('three')
      await world.store.removeMember(group, 'eve')
      expect(await intervals('cleo')).toEqual([{ fromSeq: 2, untilSeq: null }])
      expect(await intervals('ada')).toEqual([{ fromSeq: 1, untilSeq: null }])
      expect(await intervals('eve')).toEqual([])
      expect((await world.store.conversation(group))!.members.toSorted()).toEqual(['ada', 'bob', 'cleo'])
      expect(await reads('cleo', version)).toEqual(['three'])
    })

    test('a group that is not there has no members to add', async () => {
      await expect(world.store.addMember('group:none', 'ada', 1)).rejects.toMatchObject({ kind: 'notMember' })
      expect(await world.store.conversation('group:none')).toBeNull()
      expect(await world.store.groups('ada')).toEqual([])
    })

    test('[P5] [P9] changes of profiles reach who joined, and not who left', async () => {
      for (const userId of ['ada', 'bob', 'cleo']) await world.createUser(userId)
      await say('one')
      await world.addMember(group, 'cleo', 2)
      await world.removeMember(group, 'bob')
      const after = await world.present()
      const user = await world.rename('ada', 'Ada Lovelace')
      expect(await readChanges(world.store, 'cleo', { after })).toMatchObject([{ kind: 'user', user }])
      expect(await readChanges(world.store, 'bob', { after })).toEqual([])
      const back = await world.rename('cleo', 'Cleo')
      expect(await readChanges(world.store, 'ada', { after })).toMatchObject([{ user }, { user: back }])
    })

    test('receipts are those of the members, and a new one begins at nothing that was read', async () => {
      await say('one', 'two')
      await world.addMember(group, 'cleo', 3)
      await say('three')
      expect(await world.store.receipts([group])).toContainEqual(
        expect.objectContaining({ userId: 'cleo', conversationId: group }),
      )
      expect(await world.read('cleo', group, 3)).toMatchObject([{ userId: 'cleo', deliveredSeq: 3, readSeq: 3 }])
      expect(await listed('cleo')).toMatchObject({ unread: 0 })
    })
  })
}
