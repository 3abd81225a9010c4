import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Store } from '../../server/domain/ports.ts'
import type { OpenedStore } from './store.ts'

const day = 24 * 3_600_000
/** A store may forget by itself what is long over. */
const now = Date.now()
const inDays = (days: number) => new Date(now + days * day)

/** What nodes tell each other through every store. Versions may be inexact: a session may be told of again. */
export const nodeStoreContract = (name: string, open: () => Promise<OpenedStore>): void => {
  describe(`the ${name} store, for nodes`, () => {
    let opened: OpenedStore
    let store: Store
    beforeEach(async () => {
      opened = await open()
      store = opened.store
      await store.createUser({ userId: 'ada', displayName: 'Ada', passwordHash: 'x', createdAt: new Date(0) })
    })
    afterEach(() => opened.close())

    const openSession = (tokenHash: string, expiresAt = inDays(1)) =>
      store.createSession({ tokenHash, userId: 'ada', createdAt: inDays(0), expiresAt })
    const endedAfter = async (version: number) =>
      (await store.endedSessions(version)).map(({ tokenHash }) => tokenHash).sort()

    test('[P8] whoever asks after a version learns of all sessions that were ended from then on', async () => {
      const tokens = ['one', 'two', 'three']
      for (const token of tokens) await openSession(token)
      const before = await store.version()
      expect(await endedAfter(before)).toEqual([])
      await store.deleteSession('one')
      const [first] = await store.endedSessions(before)
      expect(first).toMatchObject({ tokenHash: 'one' })
      expect(first?.version).toBeGreaterThan(before)
      await Promise.all([store.deleteSession('two'), store.deleteSession('three')])
      expect(await endedAfter(first?.version ?? 0)).toEqual(expect.arrayContaining(['three', 'two']))
      expect(await endedAfter(before)).toEqual(['one', 'three', 'two'])
    })

    test('[P8] ended beside messages that are sent, each is told of behind the version before it', async () => {
      const tokens = Array.from({ length: 20 }, (_, i) => `token${i}`)
      for (const token of tokens) await openSession(token)
      const told = new Set<string>()
      let position = await store.version()
      const look = async () => {
        for (const { tokenHash, version } of await store.endedSessions(position)) {
          told.add(tokenHash)
          position = Math.max(position, version)
        }
      }
      for (const token of tokens) {
        await Promise.all([
          store.deleteSession(token),
          store.append({
            conversationId: 'dm:ada:ada',
            kind: 'direct',
            members: ['ada'],
            sender: 'ada',
            text: token,
            clientMessageId: null,
            sentAt: new Date(1),
          }),
        ])
        await look()
      }
      expect([...told].sort()).toEqual(tokens.sort())
    })

    test('a session that was none, or was ended before, is not told of', async () => {
      await openSession('one')
      await store.deleteSession('one')
      const after = (await store.endedSessions(0)).at(-1)?.version ?? 0
      await store.deleteSession('one')
      await store.deleteSession('none')
      expect((await store.endedSessions(after)).filter(({ version }) => version > after)).toEqual([])
    })

    test('an ended session is remembered until it would have expired, and may be forgotten then', async () => {
      await openSession('short', inDays(1))
      await openSession('long', inDays(3))
      for (const token of ['short', 'long']) await store.deleteSession(token)
      await store.deleteExpiredSessions(inDays(2))
      expect(await endedAfter(0)).toContain('long')
    })

    test('it has a name of its own, which stays', async () => {
      const id = await store.storeId()
      expect(id).toMatch(/^[\w-]{16,}$/)
      expect(await store.storeId()).toBe(id)
      const other = await open()
      expect(await other.store.storeId()).not.toBe(id)
      await other.close()
    })

    test('the nodes at work are those that said so lately, and did not sign off', async () => {
      await store.keepNode('one', new Date(now - 5_000))
      await store.keepNode('two', new Date(now - 5_000))
      await store.keepNode('two', new Date(now - 1_000))
      await store.keepNode('three', new Date(now))
      await store.removeNode('three')
      await store.removeNode('nobody')
      expect(await store.nodesSince(new Date(now - 1_000))).toEqual(['two'])
      expect((await store.nodesSince(new Date(now - 5_000))).sort()).toEqual(['one', 'two'])
    })
  })
}
