import { expect, test } from 'vitest'
import type { ConversationId, UserId } from '../../server/contract/index.ts'
import type { Change, StoredMessage } from '../../server/domain/ports.ts'
import { type Random, randomOperations, randomSeed, seededRandom } from '../harness/seeded-random.ts'
import { expectNothingOmitted, pageSizes, readChanges, readUndelivered } from './store-reader.ts'
import type { StoreWorld } from './store-world.ts'

const users = ['ada', 'bob', 'cleo', 'dora', 'eve']
const conversationIds = ['dm:ada:ada', 'dm:ada:bob', 'dm:bob:cleo', 'dm:dora:eve', 'group:all', 'group:some']
const isGroup = (conversationId: ConversationId) => conversationId.startsWith('group:')

/** A long random life of a store. More of it by command: PARLEY_RANDOM_OPERATIONS=10000. */
export const walkTests = (world: StoreWorld): void => {
  const { send } = world

  /** One thing that somebody does, at random. */
  const doSomething = async (random: Random, counter: number): Promise<void> => {
    const conversationId = random.oneOf(conversationIds)
    const members = users.filter((userId) => world.isMember(userId, conversationId))
    const userId = random.oneOf(members)
    const messages = world.messages(conversationId)
    const message = random.oneOf(messages).state
    // Most people look at what is new.
    const seq = random.whole(3) ? Math.max(1, messages.length - random.whole(5)) : 1 + random.whole(messages.length)
    const what = random.whole(20)
    if (what < 7) await send(userId, otherIn(conversationId, userId), `text ${counter}`)
    else if (what < 10) await (message.deletedAt ? undefined : world.edit(message, `text ${counter}`))
    else if (what < 12) await world.delete(message)
    else if (what < 14) await world.read(userId, conversationId, seq)
    else if (what < 16) await world.advance(userId, conversationId, seq, random.whole(seq + 1))
    else if (what < 17) await world.rename(userId, `${userId} ${counter}`)
    else if (isGroup(conversationId)) {
      const absent = users.filter((user) => !members.includes(user))
      if (members.length > 1 && random.whole(2)) await world.removeMember(conversationId, userId)
      else if (absent.length > 0)
        await world.addMember(conversationId, random.oneOf(absent), 1 + random.whole(messages.length + 1))
    }
  }
  const otherIn = (conversationId: ConversationId, userId: UserId): string => {
    if (isGroup(conversationId)) return conversationId
    const [, a, b] = conversationId.split(':')
    return a === userId ? b! : a!
  }

  const start = async () => {
    for (const userId of users) await world.createUser(userId)
    for (const conversationId of conversationIds) {
      const sender = conversationId.startsWith('dm:') ? conversationId.split(':')[1]! : 'ada'
      const members = conversationId === 'group:all' ? users : ['ada', 'bob', 'cleo']
      await send(sender, otherIn(conversationId, sender), 'first', isGroup(conversationId) ? { members } : {})
    }
  }

  /** The list of a user's conversations is as a recount has it: which, in which order, with what, and how much of it is unread. */
  const expectConversations = async (userId: UserId) => {
    const summaries = (await world.store.conversations(userId, null, 100)).filter(({ id }) =>
      world.isMember(userId, id),
    )
    const expected = conversationIds
      .filter((id) => world.isMember(userId, id))
      .map((id) => ({ id, newest: world.messages(id).findLast(({ state }) => world.mayRead(userId, state)) }))
      .filter(({ newest }) => newest !== undefined)
      .toSorted((a, b) => b.newest!.sentVersion - a.newest!.sentVersion)
    expect(summaries.map(({ id }) => id)).toEqual(expected.map(({ id }) => id))
    for (const [i, { id, lastMessage, lastVersion, unread, receipts }] of summaries.entries()) {
      expect(lastMessage).toEqual(expected[i]!.newest!.state)
      expect(lastVersion).toBe(expected[i]!.newest!.sentVersion)
      const { readSeq } = receipts.find((receipt) => receipt.userId === userId)!
      expect(unread, `unread of ${userId} in ${id}`).toBe(world.unread(userId, id, readSeq))
    }
  }

  /** Of groups only what a member has; of their receipts none, since people come and go. */
  const expectChanges = async (reader: UserId | null, after: number, limit: number) => {
    const compared = (changes: Change[]) =>
      changes.filter(({ kind, conversationId: id }) => {
        if (id === null || !isGroup(id)) return true
        return kind !== 'receipt' && (reader === null || world.isMember(reader, id))
      })
    const expected = compared(world.changes(reader, after))
    const changes = await readChanges(world.store, reader, { after, limit })
    expect(compared(changes)).toEqual(expected)
    for (const change of reader === null ? [] : changes)
      if ('message' in change) expect(world.mayRead(reader!, change.message)).toBe(true)
    await expectNothingOmitted(world.store, reader, after, expected)
  }

  const expectUndelivered = async (userId: UserId, after: number, limit: number) => {
    const receipts = await world.store.receipts(conversationIds)
    const isUndelivered = ({ conversationId, seq }: StoredMessage) => {
      const mine = receipts.find((one) => one.conversationId === conversationId && one.userId === userId)
      return mine !== undefined && seq > mine.deliveredSeq
    }
    const expected = world
      .changes(userId, after)
      .flatMap((change) => (change.kind === 'message' && isUndelivered(change.message) ? [change.message] : []))
    const undelivered = await readUndelivered(world.store, userId, { after, limit })
    expect(undelivered.filter(({ conversationId }) => world.isMember(userId, conversationId))).toEqual(expected)
    expect(undelivered.every((message) => world.mayRead(userId, message))).toBe(true)
  }

  test(`[P5] [P11] after ${randomOperations} random operations (seed ${randomSeed}) counts equal a recount, and every reader finds what changed`, async () => {
    const random = seededRandom(randomSeed)
    await start()
    const versions = [await world.present()]
    for (let counter = 1; counter <= randomOperations; counter++) {
      await doSomething(random, counter)
      await expectConversations(random.oneOf(users))
      if (counter % 10 !== 0) continue
      versions.push(await world.present())
      // Someone who was here a while ago: mostly a little while.
      const after = versions.at(-1 - random.whole(Math.min(versions.length, random.oneOf([3, 12, 1_000]))))!
      const reader = random.oneOf([...users, null])
      await expectChanges(reader, after, random.oneOf(pageSizes))
      if (reader !== null) await expectUndelivered(reader, after, random.oneOf(pageSizes))
    }
    for (const userId of users) await expectConversations(userId)
  }, 600_000)
}
