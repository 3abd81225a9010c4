import { describe, expect, test } from 'vitest'
import type { UserId } from '../../server/contract/index.ts'
import type { StoreWorld } from './store-world.ts'

export const unreadTests = (world: StoreWorld): void => {
  const { send, read } = world
  const unread = async (userId: UserId, conversationId = 'dm:ada:bob') =>
    (await world.store.conversations(userId, null, 100)).find(({ id }) => id === conversationId)!.unread

  describe('unread', () => {
    test('[P11] are the messages of others above readSeq that are not deleted', async () => {
      for (let i = 0; i < 4; i++) await send('ada', 'bob', `${i}`)
      await send('bob', 'ada', 'answer')
      const last = await send('ada', 'bob', 'last')
      expect([await unread('ada'), await unread('bob')]).toEqual([1, 5])
      await read('bob', 'dm:ada:bob', 2)
      expect(await unread('bob')).toBe(3)
      const [first, , third] = await world.stored('dm:ada:bob')
      // One that was read, one that was not, and both again: a second deletion counts nothing.
      for (const message of [first!, third!, first!, third!]) await world.delete(message)
      expect([await unread('ada'), await unread('bob')]).toEqual([1, 2])
      await world.edit(last, 'edited')
      expect(await unread('bob')).toBe(2)
      await world.advance('bob', 'dm:ada:bob', 6)
      expect(await unread('bob')).toBe(2)
      await read('bob', 'dm:ada:bob', 6)
      expect([await unread('ada'), await unread('bob')]).toEqual([1, 0])
    })

    test('[P11] of notes to oneself there are none', async () => {
      for (let i = 0; i < 3; i++) await send('ada', 'ada', `${i}`)
      await world.delete((await world.stored('dm:ada:ada'))[1]!)
      expect(await unread('ada', 'dm:ada:ada')).toBe(0)
    })

    test('[P11] are counted to the end, however many', async () => {
      await Promise.all(
        Array.from({ length: 1_500 }, (_, i) => send(i % 10 ? 'ada' : 'bob', i % 10 ? 'bob' : 'ada', `${i}`)),
      )
      expect([await unread('ada'), await unread('bob')]).toEqual([150, 1_350])
      const messages = await world.stored('dm:ada:bob')
      for (const seq of [1, 2, 700, 1_499, 1_500]) await world.delete(messages[seq - 1]!)
      expect(await unread('bob')).toBe(world.unread('bob', 'dm:ada:bob', 0))
      expect(await unread('ada')).toBe(world.unread('ada', 'dm:ada:bob', 0))
      await read('bob', 'dm:ada:bob', 200)
      expect(await unread('bob')).toBe(world.unread('bob', 'dm:ada:bob', 200))
    })

    test('[P11] are right for writes at once', async () => {
      const messages = await Promise.all(Array.from({ length: 60 }, (_, i) => send('ada', 'bob', `${i}`)))
      await Promise.all([
        ...messages.slice(0, 30).map((message) => world.delete(message)),
        ...Array.from({ length: 30 }, () => send('ada', 'bob', 'more')),
        ...Array.from({ length: 10 }, () => send('bob', 'ada', 'answer')),
      ])
      expect([await unread('ada'), await unread('bob')]).toEqual([10, 60])
    })
  })
}
