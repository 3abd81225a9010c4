import { describe, expect, test } from 'vitest'
import { directConversationId, type UserId } from '../../server/contract/index.ts'
import { readChanges, readUndelivered } from './store-reader.ts'
import { draft, type StoreWorld } from './store-world.ts'

const ada = { userId: 'ada', displayName: 'Ada 🦋', passwordHash: '$argon2id$…', createdAt: new Date(1_000) }
const session = (tokenHash: string, expiresAt: number, userId = 'ada') => ({
  tokenHash,
  userId,
  createdAt: new Date(1_000),
  expiresAt: new Date(expiresAt),
})

/** Ids of applications, and such as a store might mix up, fold, escape or take for something of its own. */
const oddUserIds: UserId[] = [
  'ada',
  'Ada',
  'ADA',
  'ada~',
  'a_a',
  'aXa',
  'auth0|5f7c8ec7c33c6c004bbafe82',
  'ada@example.org',
  'ada+chat@example.org',
  'a=b',
  '42',
  '042',
  '.',
  '..',
  'a.b',
  '-',
  '_id',
  '__proto__',
  'constructor',
  '~'.repeat(64),
  'Z'.repeat(64),
  `${'z'.repeat(63)}Z`,
  'z'.repeat(64),
]

export const accountTests = (world: StoreWorld): void => {
  describe('accounts', () => {
    test('a user is created once, also when asked at once', async () => {
      const results = await Promise.allSettled([
        world.store.createUser(ada),
        world.store.createUser({ ...ada, displayName: 'Eve' }),
      ])
      const refused = results.filter((result) => result.status === 'rejected')
      const created = results.filter((result) => result.status === 'fulfilled')
      expect(refused).toMatchObject([{ reason: { kind: 'usernameTaken' } }])
      expect(created).toHaveLength(1)
      const user = created[0]!.value
      expect(user).toEqual({ ...ada, displayName: user.displayName, version: expect.any(Number) })
      expect(['Ada 🦋', 'Eve']).toContain(user.displayName)
      expect(await world.store.user('ada')).toEqual(user)
      expect(await world.store.user('nobody')).toBeNull()
    })

    test('profiles are of those who exist, in one read', async () => {
      const users = [await world.createUser('ada', 'Ada'), await world.createUser('bob', 'Bob')]
      const profiles = await world.store.profiles(['bob', 'nobody', 'ada', 'Ada'])
      expect(profiles.toSorted((a, b) => (a.userId < b.userId ? -1 : 1))).toEqual(
        users.map(({ userId, displayName, version }) => ({ userId, displayName, version })),
      )
      expect(await world.store.profiles(['nobody'])).toEqual([])
      expect(await world.store.profiles([])).toEqual([])
    })

    test('a profile is changed at a new version, and nothing else of the user', async () => {
      const user = await world.store.createUser(ada)
      const message = await world.send('ada', 'bob', 'hi')
      const profile = await world.store.updateProfile('ada', { displayName: 'Ада 𝒳 "\'; --' })
      expect(profile).toEqual({ userId: 'ada', displayName: 'Ада 𝒳 "\'; --', version: expect.any(Number) })
      expect(profile.version).toBeGreaterThan(Math.max(user.version, message.version))
      expect(await world.store.user('ada')).toEqual({ ...user, ...profile })
      expect(await world.store.profiles(['ada'])).toEqual([profile])
      await expect(world.store.updateProfile('nobody', { displayName: 'x' })).rejects.toMatchObject({
        kind: 'unknownUser',
      })
      expect(await world.store.user('nobody')).toBeNull()
    })

    test('of changes of a profile at once the last one stands', async () => {
      await world.store.createUser(ada)
      const profiles = await Promise.all(
        Array.from({ length: 20 }, (_, i) => world.store.updateProfile('ada', { displayName: `Ada ${i}` })),
      )
      expect(new Set(profiles.map(({ version }) => version)).size).toBe(20)
      const last = profiles.reduce((a, b) => (a.version > b.version ? a : b))
      expect(await world.store.profiles(['ada'])).toEqual([last])
    })

    test('a session is kept, extended and deleted', async () => {
      await world.store.createUser(ada)
      await world.store.createSession(session('hash', 2_000))
      expect(await world.store.session('hash')).toEqual(session('hash', 2_000))
      await world.store.extendSession('hash', new Date(3_000))
      expect(await world.store.session('hash')).toEqual(session('hash', 3_000))
      expect(await world.store.deleteSession('hash')).toBe(true)
      expect(await world.store.deleteSession('hash')).toBe(false)
      expect(await world.store.session('hash')).toBeNull()
      await world.store.extendSession('hash', new Date(4_000))
      expect(await world.store.session('hash')).toBeNull()
    })

    test('a session needs its user', async () => {
      await world.store.createUser(ada)
      for (const userId of ['nobody', 'Ada'])
        await expect(world.store.createSession(session('hash', 2_000, userId))).rejects.toMatchObject({
          kind: 'unknownUser',
        })
      expect(await world.store.session('hash')).toBeNull()
    })

    test('expired sessions go, the others stay', async () => {
      await world.store.createUser(ada)
      for (const [hash, expiresAt] of [
        ['a', 1_000],
        ['b', 2_000],
        ['c', 3_000],
      ] as const)
        await world.store.createSession(session(hash, expiresAt))
      expect(await world.store.deleteExpiredSessions(new Date(2_001))).toBe(2)
      expect([await world.store.session('a'), await world.store.session('b')]).toEqual([null, null])
      expect(await world.store.session('c')).not.toBeNull()
    })

    test('lastSeen knows those who were ever connected', async () => {
      await world.store.createUser(ada)
      await world.store.createUser({ ...ada, userId: 'bob' })
      await world.store.setLastSeen([
        { userId: 'ada', at: new Date(5_000) },
        { userId: 'nobody', at: new Date(5_000) },
      ])
      expect(await world.store.lastSeen(['ada', 'bob', 'nobody'])).toEqual(new Map([['ada', new Date(5_000)]]))
    })
  })

  describe('user ids with every character that they may have, each a user of its own', () => {
    test('have accounts, profiles, sessions and times of their own', async () => {
      const users = await Promise.all(oddUserIds.map((userId) => world.createUser(userId, `The user ${userId}`)))
      const at = (userId: UserId) => new Date(1_000 + oddUserIds.indexOf(userId))
      await world.store.setLastSeen(oddUserIds.map((userId) => ({ userId, at: at(userId) })))
      expect(await world.store.lastSeen(oddUserIds)).toEqual(new Map(oddUserIds.map((userId) => [userId, at(userId)])))
      for (const user of users) {
        const { userId } = user
        expect(user.displayName).toBe(`The user ${userId}`)
        expect(await world.store.user(userId)).toEqual(user)
        await expect(world.store.createUser({ ...ada, userId })).rejects.toMatchObject({ kind: 'usernameTaken' })
        await world.store.createSession(session(`hash of ${userId}`, 5_000, userId))
        expect((await world.store.session(`hash of ${userId}`))!.userId).toBe(userId)
        const profile = await world.rename(userId, `${userId} renamed`)
        expect(await world.store.profiles([userId])).toEqual([profile])
      }
      const names = (await world.store.profiles(oddUserIds)).map(({ displayName }) => displayName)
      expect(names.toSorted()).toEqual(oddUserIds.map((userId) => `${userId} renamed`).toSorted())
    })

    test('[P9] have direct conversations of their own', async () => {
      const after = await world.present()
      for (const [i, userId] of oddUserIds.entries())
        await world.send(i % 2 ? userId : 'me', i % 2 ? 'me' : userId, `with ${userId}`, { clientMessageId: 'c1' })
      for (const userId of oddUserIds) {
        const conversationId = directConversationId('me', userId)
        const [message, ...others] = await world.stored(conversationId)
        expect(others).toEqual([])
        expect(message).toMatchObject({ id: `${conversationId}:1`, text: `with ${userId}` })
        const conversation = await world.store.conversation(conversationId)
        expect(conversation).toMatchObject({ id: conversationId, kind: 'direct', lastSeq: 1 })
        expect(conversation!.members.toSorted()).toEqual(['me', userId].toSorted())
        expect(await world.store.intervals(conversationId, userId)).toEqual([{ fromSeq: 1, untilSeq: null }])
        const sent = draft(message!.sender, userId === message!.sender ? 'me' : userId, message!.text)
        expect(await world.store.append({ ...sent, clientMessageId: 'c1' })).toEqual({ message, repeated: true })

        expect(await readChanges(world.store, userId, { after })).toEqual(world.changes(userId, after))
        expect(await readUndelivered(world.store, userId, { after })).toEqual([message])
        expect(await world.store.backlog(userId, after, 0)).toEqual([{ conversationId, afterSeq: 0 }])
        const edited = await world.edit(message!, `edited ${userId}`)
        const place = { conversationId, seq: 1 }
        expect((await world.store.textVersions(place)).map(({ text }) => text)).toEqual([message!.text, edited.text])
        expect(await world.store.messagesAt([place])).toEqual([edited])
        const [receipt] = await world.read(userId, conversationId, 1)
        expect(receipt).toMatchObject({ conversationId, userId, readSeq: 1 })
        expect(await world.store.receipts([conversationId])).toContainEqual(receipt)
        expect(await world.store.conversations(userId, null, 10)).toMatchObject([{ id: conversationId, unread: 0 }])
        expect(await world.store.latestVersions([userId], 0)).toEqual(new Map([[userId, receipt!.version]]))
        await world.delete(edited)
        expect(await readChanges(world.store, userId, { after, limit: 1 })).toEqual(world.changes(userId, after))
      }
      const withAll = oddUserIds.map((userId) => directConversationId('me', userId)).toSorted()
      const mine = await world.store.conversations('me', null, 100)
      expect(mine.map(({ id }) => id).toSorted()).toEqual(withAll)
      expect((await world.store.conversationsOf('me')).toSorted()).toEqual(withAll)
    })

    test('[P9] have direct conversations with each other', async () => {
      const odd = oddUserIds.slice(0, 12)
      const pairs = odd.flatMap((a, i) => odd.slice(i).map((b) => [a, b] as const))
      await Promise.all(pairs.map(([a, b]) => world.send(a, b, `${a} to ${b}`)))
      for (const userId of odd) {
        const summaries = await world.store.conversations(userId, null, 100)
        expect(summaries.map(({ id }) => id).toSorted()).toEqual(
          odd.map((other) => directConversationId(userId, other)).toSorted(),
        )
        const texts = (await readUndelivered(world.store, userId, { after: 0 })).map(({ text }) => text)
        expect(texts.toSorted()).toEqual(
          pairs.flatMap(([a, b]) => (a === userId || b === userId ? [`${a} to ${b}`] : [])).toSorted(),
        )
      }
    })

    test('[P9] are members of groups, whose ids are case-sensitive, too', async () => {
      const inCapitals = 'group:TEAM'
      await world.send('me', 'group:team', 'hi', { members: ['me'] })
      await world.send('me', inCapitals, 'hi', { members: ['me'] })
      for (const userId of oddUserIds) await world.addMember('group:team', userId, 1)
      expect((await world.store.conversation('group:team'))!.members.toSorted()).toEqual(
        ['me', ...oddUserIds].toSorted(),
      )
      expect((await world.store.conversation(inCapitals))!.members).toEqual(['me'])
      for (const userId of oddUserIds) {
        expect(await world.store.groups(userId)).toEqual(['group:team'])
        await world.removeMember('group:team', userId)
        expect(await world.store.groups(userId)).toEqual([])
      }
      expect((await world.store.conversation('group:team'))!.members).toEqual(['me'])
    })
  })
}
