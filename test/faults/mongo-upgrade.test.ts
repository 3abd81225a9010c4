import { Mongoose } from 'mongoose'
import { describe, expect, test } from 'vitest'
import { directConversationId, type UserId } from '../../server/contract/index.ts'
import type { Change, Store } from '../../server/domain/ports.ts'
import { versionAt } from '../../server/domain/version-time.ts'
import { openMongoStore } from '../../server/store/mongo/open.ts'
import { draft } from '../contracts/store.ts'
import { startHeldNetwork } from '../harness/held-network.ts'
import { findTestMongo, temporaryDatabase } from '../harness/mongo.ts'

const { uri: server, missing } = await findTestMongo()

/** The stand-in for MongoDB takes milliseconds a row, so that more of them are brought up by command. */
const messageCount = Number(process.env.PARLEY_UPGRADE_MESSAGES ?? 400)

/** The stand-in looks through all messages for a page, where MongoDB has indices: with more of them none comes in time. */
const readBackMax = 10_000

const rowsAtOnce = 1_000

/** More messages take longer. */
const upgradeMs = 300_000 * Math.max(1, messageCount / 10_000)

type Document = { _id: string | number } & Record<string, unknown>

const people = Array.from({ length: 12 }, (_, i) => `user${i}`)
const groupMembers = people.slice(0, 5)
const firstVersion = versionAt(Date.now() - 24 * 3_600_000)

interface OldConversation {
  id: string
  kind: 'direct' | 'group'
  members: UserId[]
}

/** Conversations and messages as Parley 0.1 wrote them, one after the other, each sender at random. */
const oldMessages = (count: number) => {
  const group: OldConversation = { id: 'group:g1', kind: 'group', members: groupMembers }
  const direct = people.map((userId, i): OldConversation => {
    const members = [...new Set([userId, people[(i * 5 + 1) % people.length]!])].sort()
    return { id: directConversationId(members[0]!, members.at(-1)!), kind: 'direct', members }
  })
  const conversations = [...new Map([group, ...direct].map((one) => [one.id, one])).values()]
  const lastSeq = new Map<string, number>()
  const messages = Array.from({ length: count }, (_, i): Document => {
    const { id, kind, members } = conversations[(i * 7 + (i >> 3)) % conversations.length]!
    const seq = (lastSeq.get(id) ?? 0) + 1
    lastSeq.set(id, seq)
    return {
      _id: `${id}:${seq}`,
      conversationId: id,
      seq,
      version: firstVersion + i * 64,
      audience: kind === 'group' ? [id] : members,
      sender: members[(i * i + (i >> 2)) % members.length]!,
      text: `text ${i}`,
      sentAt: new Date(1_700_000_000_000 + i),
      ...(i % 3 > 0 && { clientMessageId: `c${i}` }),
    }
  })
  return { conversations, messages }
}

/** The collections, documents and indices of a database with schema 1. */
const oldDatabase = ({ conversations, messages }: ReturnType<typeof oldMessages>) => {
  const last = new Map(messages.map((message) => [message.conversationId, message]))
  const createdAt = new Date(1_000)
  const audienceOf = ({ id, kind, members }: OldConversation) => (kind === 'group' ? [id] : members)
  const documents: Record<string, Document[]> = {
    users: people.map((_id) => ({ _id, displayName: `The ${_id}`, passwordHash: '$argon2id$', createdAt })),
    sessions: people.map((username) => ({
      _id: `token of ${username}`,
      username,
      createdAt,
      expiresAt: new Date(Date.now() + 3_600_000),
    })),
    conversations: conversations.map((conversation) => ({
      _id: conversation.id,
      kind: conversation.kind,
      audience: audienceOf(conversation),
      lastSeq: last.get(conversation.id)!.seq,
      lastSentAt: last.get(conversation.id)!.sentAt,
      lastVersion: last.get(conversation.id)!.version,
    })),
    members: conversations.flatMap((conversation) =>
      conversation.members.map((username, i) => ({
        _id: `${conversation.id} ${username}`,
        conversationId: conversation.id,
        username,
        kind: conversation.kind,
        audience: audienceOf(conversation),
        deliveredSeq: 10 * i,
        readSeq: 7 * i,
        version: i === 0 ? 0 : firstVersion + messages.length * 64 + conversations.indexOf(conversation) * 64 + i,
      })),
    ),
    messages,
    meta: [{ _id: 'schema', version: 1, storeId: '0b6c4a53-29a4-4a3e-9d1c-0a4f5b1b2c3d', createdAt }],
    nodeNumbers: [],
  }
  const indices: [collection: string, key: Record<string, 1 | -1>, options: object][] = [
    ['sessions', { expiresAt: 1 }, { name: 'session_by_expiry' }],
    ['sessions', { username: 1 }, { name: 'session_by_user' }],
    ['conversations', { audience: 1, lastVersion: -1 }, { name: 'conversation_by_audience' }],
    ['members', { conversationId: 1, username: 1 }, { name: 'member_by_conversation', unique: true }],
    ['members', { username: 1, kind: 1 }, { name: 'member_by_user' }],
    ['members', { audience: 1, version: 1 }, { name: 'member_by_audience' }],
    ['messages', { conversationId: 1, seq: 1 }, { name: 'message_by_seq', unique: true }],
    [
      'messages',
      { conversationId: 1, sender: 1, clientMessageId: 1 },
      {
        name: 'message_by_client_id',
        unique: true,
        partialFilterExpression: { clientMessageId: { $exists: true } },
      },
    ],
    ['messages', { audience: 1, version: 1 }, { name: 'message_by_audience' }],
  ]
  return { documents, indices }
}

const openOld = async (count = 240) => {
  const old = oldMessages(count)
  const database = temporaryDatabase(server as string)
  const connection = await new Mongoose().createConnection(database.uri).asPromise()
  const collection = (name: string) => connection.collection<Document>(name)
  const { documents, indices } = oldDatabase(old)
  for (const [name, key, options] of indices) await collection(name).createIndex(key, options)
  for (const [name, all] of Object.entries(documents)) if (all.length > 0) await collection(name).insertMany(all)
  return {
    ...old,
    uri: database.uri,
    collection,
    schema: () => collection('meta').findOne({ _id: 'schema' }),
    async [Symbol.asyncDispose]() {
      await connection.close()
      await database.drop()
    },
  }
}
type Old = Awaited<ReturnType<typeof openOld>>

const join = async (pages: AsyncIterable<Change[]>): Promise<Change[]> => {
  const changes: Change[] = []
  for await (const page of pages) changes.push(...page)
  return changes
}
const messagesIn = (changes: Change[]) =>
  changes.flatMap((change) => ('message' in change ? [[change.kind, change.message.id, change.message.text]] : []))

/** Every message has what was added to it, as counted here. */
const expectMarked = async ({ conversations, messages, collection }: Old) => {
  for (const { id, kind } of conversations) {
    const sentBy = new Map<unknown, number>()
    const expected = messages
      .filter(({ conversationId }) => conversationId === id)
      .map(({ seq, sender }) => {
        sentBy.set(sender, (sentBy.get(sender) ?? 0) + 1)
        return [seq, sentBy.get(sender), true, kind === 'group' ? true : undefined]
      })
    const found: unknown[] = []
    for (let from = 0; from < expected.length; from += rowsAtOnce) {
      const part = { conversationId: id, seq: { $gt: from, $lte: from + rowsAtOnce } }
      const rows = await collection('messages').find(part).sort({ conversationId: 1, seq: 1 }).toArray()
      found.push(...rows.map((row) => [row.seq, row.senderOrdinal, row.versionApart, row.inGroup]))
    }
    expect(found).toEqual(expected)
  }
}

/** Every read, compared with what was written into the old database. */
const expectUpgraded = async (store: Store, old: Old) => {
  const { conversations, messages } = old
  await expectMarked(old)
  if (messages.length > readBackMax) return
  const all = { after: 0, upTo: Number.MAX_SAFE_INTEGER }
  const seen = messages.map(({ _id, text }) => ['message', _id, text])
  expect(messagesIn(await join(store.allChanges(all, 300)))).toEqual(seen)
  const middle = messages[messages.length >> 1]!.version as number
  expect(messagesIn(await join(store.allChanges({ ...all, after: middle }, 50)))).toEqual(
    seen.slice((messages.length >> 1) + 1),
  )

  for (const userId of [people[0]!, people[4]!, people[11]!]) {
    const own = conversations.filter(({ members }) => members.includes(userId))
    const ofOwn = messages.filter(({ conversationId }) => own.some(({ id }) => id === conversationId))
    const changes = await join(store.changes(userId, { ...all, except: [] }, 100))
    expect(messagesIn(changes)).toEqual(ofOwn.map(({ _id, text }) => ['message', _id, text]))
    expect(await store.session(`token of ${userId}`)).toMatchObject({ userId })
    expect(await store.user(userId)).toMatchObject({
      userId,
      displayName: `The ${userId}`,
      version: expect.any(Number),
    })
    expect((await store.conversationsOf(userId)).toSorted()).toEqual(own.map(({ id }) => id).toSorted())
    const summaries = await store.conversations(userId, null, 100)
    expect(summaries).toHaveLength(own.length)
    for (const { id, unread, receipts, lastMessage } of summaries) {
      const inIt = messages.filter(({ conversationId }) => conversationId === id)
      const { readSeq } = receipts.find((receipt) => receipt.userId === userId)!
      expect(unread).toBe(inIt.filter(({ seq, sender }) => (seq as number) > readSeq && sender !== userId).length)
      expect(lastMessage).toMatchObject({ text: inIt.at(-1)!.text, revision: 1, editedAt: null, deletedAt: null })
      expect(await store.intervals(id, userId)).toEqual([{ fromSeq: 1, untilSeq: null }])
    }
  }
}

describe.skipIf(missing)(`a database of Parley 0.1${missing ? ` (skipped: ${missing})` : ''}`, () => {
  test(
    `[P1] [P4] [P5] [P11] of ${messageCount} messages is brought up by one of two nodes that start at once, and everything goes on`,
    async () => {
      await using old = await openOld(messageCount)
      const stores = await Promise.all([openMongoStore({ uri: old.uri }), openMongoStore({ uri: old.uri })])
      const [store] = stores
      expect(await old.schema()).toMatchObject({ version: 2, storeId: expect.any(String) })
      expect(await old.schema()).not.toHaveProperty('upgrade')
      await expectUpgraded(store!, old)

      const { id, members } = old.conversations[0]!
      const inGroup = old.messages.filter(({ conversationId }) => conversationId === id)
      const named = inGroup.find(({ clientMessageId }) => clientMessageId)!
      const again = draft(named.sender as string, id, named.text as string, {
        members,
        clientMessageId: named.clientMessageId as string,
      })
      expect(await store!.append(again)).toMatchObject({ repeated: true, message: { seq: named.seq } })
      const [sender, reader] = members as [string, string]
      const unreadOf = async () => (await store!.conversations(reader, null, 100)).find((one) => one.id === id)!.unread
      const before = await unreadOf()
      const sent = await store!.append(draft(sender, id, 'next', { members }))
      expect(sent.message.seq).toBe(inGroup.length + 1)
      expect(await unreadOf()).toBe(before + 1)

      const place = { conversationId: named.conversationId as string, seq: named.seq as number }
      const after = await store!.version()
      const { message } = await store!.edit({ ...place, revision: 1, text: 'edited', editedAt: new Date() })
      expect(await store!.textVersions(place)).toMatchObject([{ text: named.text }, { text: 'edited' }])
      const range = { after, upTo: Number.MAX_SAFE_INTEGER }
      const changes = await join(store!.changes(reader, { ...range, except: [] }, 10))
      expect(changes).toMatchObject([{ kind: 'messageChanged', message }])
      for (const one of stores) await one.close()
      await (await openMongoStore({ uri: old.uri })).close()
    },
    upgradeMs,
  )

  test('[P1] cut short in the middle it is taken up again, and no older Parley takes it for its own meanwhile', async () => {
    await using old = await openOld()
    const { port, pathname } = new URL(old.uri)
    await using network = await startHeldNetwork(Number(port))
    const isOnItsWay = network.holdFrom('senderOrdinal')
    const cutShort = openMongoStore({ uri: `mongodb://127.0.0.1:${network.port}${pathname}?directConnection=true` })
    const refused = expect(cutShort).rejects.toThrow()
    await isOnItsWay
    network.cut()
    await refused
    expect(await old.schema()).toMatchObject({ version: 2, upgrade: { from: 1 } })
    // As a minute later: whoever began it does not go on.
    await old.collection('meta').updateOne({ _id: 'schema' }, { $set: { 'upgrade.until': new Date(0) } })
    const store = await openMongoStore({ uri: old.uri })
    await expectUpgraded(store, old)
    await store.close()
  })

  test('is left as it is while an older node is at work', async () => {
    await using old = await openOld()
    await old
      .collection('nodeNumbers')
      .insertOne({ _id: 3, owner: 'of Parley 0.1', until: new Date(Date.now() + 60_000) })
    await expect(openMongoStore({ uri: old.uri })).rejects.toThrow(
      /has to be brought up to schema 2, and 1 older Parley node works on it; stop it first, then start again\./,
    )
    expect(await old.schema()).toMatchObject({ version: 1 })
    expect(await old.collection('sessions').countDocuments({ username: { $exists: true } })).toBe(people.length)
    await old.collection('nodeNumbers').deleteOne({ _id: 3 })
    const store = await openMongoStore({ uri: old.uri })
    await expectUpgraded(store, old)
    await store.close()
  })
})
