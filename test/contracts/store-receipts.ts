import { beforeEach, describe, expect, test } from 'vitest'
import type { StoreWorld } from './store-world.ts'

export const receiptTests = (world: StoreWorld): void => {
  const { send, read } = world

  describe('receipts', () => {
    beforeEach(async () => {
      for (const text of ['one', 'two', 'three']) await send('ada', 'bob', text)
    })

    test('start at nothing, one for each member', async () => {
      await send('ada', 'cleo', 'hi')
      const receipts = await world.store.receipts(['dm:ada:bob', 'dm:ada:cleo', 'dm:ada:nobody'])
      expect(receipts.map(({ conversationId, userId }) => `${conversationId} ${userId}`).toSorted()).toEqual([
        'dm:ada:bob ada',
        'dm:ada:bob bob',
        'dm:ada:cleo ada',
        'dm:ada:cleo cleo',
      ])
      expect(receipts.every(({ deliveredSeq, readSeq }) => deliveredSeq === 0 && readSeq === 0)).toBe(true)
    })

    const advanced = async (userId: string, deliveredSeq: number, readSeq: number) =>
      (await world.advance(userId, 'dm:ada:bob', deliveredSeq, readSeq)).map((receipt) => [
        receipt.userId,
        receipt.deliveredSeq,
        receipt.readSeq,
      ])

    test('[P6] move forward only, and those that stand still are not returned', async () => {
      expect(await advanced('bob', 2, 1)).toEqual([['bob', 2, 1]])
      expect(await advanced('bob', 2, 1)).toEqual([])
      expect(await advanced('bob', 1, 0)).toEqual([])
      expect(await advanced('bob', 3, 0)).toEqual([['bob', 3, 1]])
      expect(await advanced('ada', 1, 1)).toEqual([['ada', 1, 1]])
    })

    test('[P6] read carries delivered along, and neither passes the last message', async () => {
      expect(await advanced('bob', 0, 2)).toEqual([['bob', 2, 2]])
      expect(await advanced('bob', 99, 99)).toEqual([['bob', 3, 3]])
      await send('ada', 'bob', 'four')
      expect(await world.store.receipts(['dm:ada:bob'])).toContainEqual(
        expect.objectContaining({ userId: 'bob', deliveredSeq: 3, readSeq: 3 }),
      )
    })

    test('[P6] each move gets a version above what was there before', async () => {
      const last = (await world.stored('dm:ada:bob')).at(-1)!
      const [first] = await read('bob', 'dm:ada:bob', 1)
      const [second] = await read('bob', 'dm:ada:bob', 2)
      expect(first!.version).toBeGreaterThan(last.version)
      expect(second!.version).toBeGreaterThan(first!.version)
      expect(await world.store.receipts(['dm:ada:bob'])).toContainEqual(second)
    })

    test('[P6] stay where they are when what was read is edited or deleted', async () => {
      const [receipt] = await read('bob', 'dm:ada:bob', 3)
      const [first, , third] = await world.stored('dm:ada:bob')
      await world.edit(first!, 'edited')
      await world.delete(third!)
      expect(await world.store.receipts(['dm:ada:bob'])).toContainEqual(receipt)
      expect(await read('bob', 'dm:ada:bob', 3)).toEqual([])
    })

    test('[P9] strangers and unknown conversations are passed over', async () => {
      expect(await advanced('eve', 3, 3)).toEqual([])
      expect(await read('eve', 'dm:no:where', 1)).toEqual([])
      expect((await world.store.receipts(['dm:ada:bob'])).some(({ userId }) => userId === 'eve')).toBe(false)
    })

    test('many move in one call, the same one at its furthest', async () => {
      await send('cleo', 'bob', 'hi')
      const moved = await world.store.advance([
        { conversationId: 'dm:ada:bob', userId: 'bob', deliveredSeq: 1, readSeq: 0 },
        { conversationId: 'dm:bob:cleo', userId: 'bob', deliveredSeq: 1, readSeq: 0 },
        { conversationId: 'dm:ada:bob', userId: 'bob', deliveredSeq: 3, readSeq: 0 },
        { conversationId: 'dm:ada:bob', userId: 'eve', deliveredSeq: 3, readSeq: 0 },
      ])
      expect(moved.map(({ conversationId, deliveredSeq }) => [conversationId, deliveredSeq]).toSorted()).toEqual([
        ['dm:ada:bob', 3],
        ['dm:bob:cleo', 1],
      ])
      const stored = await world.store.receipts(['dm:ada:bob', 'dm:bob:cleo'])
      for (const receipt of moved) expect(stored).toContainEqual(receipt)
    })
  })

  describe('conversations', () => {
    test('come by their newest message, with it, what is unread, and receipts', async () => {
      await send('ada', 'bob', 'one')
      const second = await send('ada', 'cleo', 'two')
      const last = await send('bob', 'ada', 'three')
      await read('ada', 'dm:ada:cleo', 1)
      const conversations = await world.store.conversations('ada', null, 10)
      const byUser = conversations.map(({ receipts }) => receipts.toSorted((a, b) => (a.userId < b.userId ? -1 : 1)))
      expect(conversations.map(({ receipts, ...summary }) => summary)).toEqual([
        { id: 'dm:ada:bob', kind: 'direct', lastMessage: last, lastVersion: last.version, unread: 1 },
        { id: 'dm:ada:cleo', kind: 'direct', lastMessage: second, lastVersion: second.version, unread: 0 },
      ])
      expect(byUser[1]).toMatchObject([
        { conversationId: 'dm:ada:cleo', userId: 'ada', deliveredSeq: 1, readSeq: 1 },
        { conversationId: 'dm:ada:cleo', userId: 'cleo', deliveredSeq: 0, readSeq: 0 },
      ])
      expect(await world.store.conversations('stranger', null, 10)).toEqual([])
    })

    test('every conversation is met once, though messages come and change while the pages are read', async () => {
      for (let i = 0; i < 11; i++) await send('ada', `user${10 + i}`, `text ${i}`)
      const met: string[] = []
      let before: number | null = null
      for (let turn = 0; ; turn++) {
        const page = await world.store.conversations('ada', before, 3)
        met.push(...page.map(({ id }) => id))
        if (page.length < 3) break
        before = page.at(-1)!.lastVersion
        // One that was met moves up again; nothing that was not met moves, though the newest message of one changes.
        await send('ada', met[turn]!.split(':')[2]!, 'again')
        await world.edit(page.at(-1)!.lastMessage, 'edited')
        const [unmet] = await world.stored('dm:ada:user10')
        await world.edit(unmet!, `edited ${turn}`)
      }
      expect(met).toEqual(Array.from({ length: 11 }, (_, i) => `dm:ada:user${20 - i}`))
    })
  })
}
