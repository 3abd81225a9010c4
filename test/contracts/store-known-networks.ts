import { describe, expect, test } from 'vitest'
import type { StoreWorld } from './store-world.ts'

export const knownNetworkTests = (world: StoreWorld): void => {
  const remember = (userId: string, networkHash: string, seenAt: number, keep = 50) =>
    world.store.rememberNetwork({ userId, networkHash, seenAt: new Date(seenAt) }, keep)
  const seen = async (userId: string, ...hashes: string[]) =>
    Promise.all(hashes.map(async (hash) => (await world.store.networkSeenAt(userId, hash))?.getTime() ?? null))

  describe('known networks', () => {
    test('are of the user who signed in from there, and of nobody else', async () => {
      await remember('ada', 'home', 1_000)
      await remember('ada', 'office', 2_000)
      await remember('Ada', 'office', 3_000)
      expect(await seen('ada', 'home', 'office', 'elsewhere')).toEqual([1_000, 2_000, null])
      expect(await seen('Ada', 'home', 'office')).toEqual([null, 3_000])
      expect(await seen('nobody', 'home')).toEqual([null])
    })

    test('are known from the latest sign-in, however late an earlier one is written', async () => {
      await remember('ada', 'home', 2_000)
      await remember('ada', 'home', 1_000)
      expect(await seen('ada', 'home')).toEqual([2_000])
      await remember('ada', 'home', 3_000)
      expect(await seen('ada', 'home')).toEqual([3_000])
    })

    test('are so many of each user at most: a new one takes the place of the oldest', async () => {
      await remember('bob', 'home', 1)
      for (const [i, network] of ['a', 'b', 'c'].entries()) await remember('ada', network, 1_000 + i, 3)
      await remember('ada', 'a', 2_000, 3)
      await remember('ada', 'd', 2_001, 3)
      expect(await seen('ada', 'a', 'b', 'c', 'd')).toEqual([2_000, null, 1_002, 2_001])
      expect(await seen('bob', 'home')).toEqual([1])
    })

    test('are remembered at once, also from many places together', async () => {
      const networks = Array.from({ length: 20 }, (_, i) => `network ${i}`)
      await Promise.all([...networks, ...networks].map((network, i) => remember('ada', network, 1_000 + i)))
      expect(await seen('ada', ...networks)).toEqual(networks.map((_, i) => 1_020 + i))
    })

    test('are forgotten when nobody has signed in from there for long', async () => {
      await remember('ada', 'home', 1_000)
      await remember('ada', 'office', 2_000)
      await remember('bob', 'home', 1_999)
      expect(await world.store.deleteNetworksSeenBefore(new Date(2_000))).toBe(2)
      expect(await seen('ada', 'home', 'office')).toEqual([null, 2_000])
      expect(await seen('bob', 'home')).toEqual([null])
    })
  })
}
