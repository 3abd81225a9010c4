import type { Model } from 'mongoose'
import { type ConversationId, directMembers, type UserId } from '../../contract/index.ts'
import type { Draft } from '../../domain/ports.ts'
import { audienceOf, isGroup, memberId } from './documents.ts'
import { failureOf, insertedOf, inTime, unavailable, wordsOf } from './errors.ts'
import { waitMaxMs } from './limits.ts'
import { latestOwn } from './own-messages.ts'
import { find } from './reads.ts'
import { type ConversationDocument, type MemberDocument, type MessageDocument, type Models, native } from './schema.ts'

/** The end of a conversation, as far as its next message needs to know. */
export interface Tail {
  seq: number
  version: number
  sentAt: Date
  /** How many of the messages are of this sender. */
  sentBy(sender: UserId): number
  /** The last one that its conversation tells of. No sender was told yet that one above it is stored. */
  headSeq: number
}

/** What is to be added, as far as tails go by it. */
export interface Appending {
  draft: Draft
  /** The conversation had gone on; what stands of it in `conversations` may be old. */
  collided: boolean
}

/** Where conversations end, for whoever adds to them. */
export interface Tails {
  /** Creates the conversations that are not there yet. */
  of(appends: Appending[]): Promise<Map<ConversationId, Tail>>
  /** Moves the conversations on to these messages, never back. */
  moveTo(messages: MessageDocument[]): Promise<void>
}

type Last = Pick<MessageDocument, 'seq' | 'version' | 'sentAt' | 'sender' | 'senderOrdinal'>
const nothing: Last = { seq: 0, version: 0, sentAt: new Date(0), sender: '', senderOrdinal: 0 }

// Reads go by the read concern of the schema: what is not durable yet may be taken back by a failover, and whatever was
// built on it would stand behind a hole. Who sees too little collides with what is there, and looks again.
export const createTails = (models: Models): Tails => {
  const { conversations, members, messages } = models

  const lastOf = ({ lastSeq, lastVersion, lastSentAt, lastSender, lastSenderOrdinal }: ConversationDocument): Last => ({
    seq: lastSeq,
    version: lastVersion,
    sentAt: lastSentAt,
    sender: lastSender ?? '',
    senderOrdinal: lastSenderOrdinal ?? 0,
  })

  /** The messages themselves say it, where a node ended between a message and its conversation. */
  const lookAbove = async (last: Map<ConversationId, Last>, ids: ConversationId[]): Promise<void> => {
    if (ids.length === 0) return
    const seqOf = (conversationId: string) => last.get(conversationId)?.seq ?? 0
    const above = ids.map((conversationId) => ({ conversationId, seq: { $gt: seqOf(conversationId) } }))
    for (const message of await find(messages, { $or: above })) {
      if (message.seq > seqOf(message.conversationId)) last.set(message.conversationId, message)
    }
  }

  /** Members first: a conversation that is there has all of them. */
  const create = async (appends: Appending[]): Promise<void> => {
    const drafts = new Map(appends.map(({ draft }) => [draft.conversationId, draft]))
    const newMembers: MemberDocument[] = []
    const newConversations: ConversationDocument[] = []
    for (const { conversationId, kind, members } of drafts.values()) {
      for (const userId of members) newMembers.push(newMember(conversationId, userId, 1))
      newConversations.push({
        _id: conversationId,
        kind,
        audience: audienceOf(conversationId),
        lastSeq: 0,
        lastSentAt: nothing.sentAt,
        lastVersion: 0,
      })
    }
    await insertMissing(members, newMembers)
    await insertMissing(conversations, newConversations)
  }

  /** In groups it is looked up; between two people it follows from the last message. */
  const countOwn = async (appends: Appending[], last: Map<ConversationId, Last>): Promise<Map<string, number>> => {
    const inGroups = new Map(
      appends
        .filter(({ draft }) => isGroup(draft.conversationId))
        .map(({ draft: { conversationId, sender } }) => [
          memberId(conversationId, sender),
          { conversationId, sender, upTo: last.get(conversationId)?.seq ?? 0 },
        ]),
    )
    const own = await latestOwn(
      models,
      [...inGroups.values()].filter(({ upTo }) => upTo > 0),
    )
    return new Map(
      own.map(({ conversationId, sender, senderOrdinal }) => [memberId(conversationId, sender), senderOrdinal]),
    )
  }

  return {
    async of(appends) {
      if (appends.length === 0) return new Map()
      const ids = [...new Set(appends.map(({ draft }) => draft.conversationId))]
      const heads = new Map((await find(conversations, { _id: { $in: ids } })).map((head) => [head._id, head]))
      await create(appends.filter(({ draft }) => !heads.has(draft.conversationId)))
      const last = new Map(Array.from(heads, ([id, head]) => [id, lastOf(head)]))
      const collided = appends.filter((append) => append.collided).map(({ draft }) => draft.conversationId)
      await lookAbove(last, [...new Set(collided)])
      const counts = await countOwn(appends, last)
      return new Map(
        ids.map((id) => {
          const { sender, senderOrdinal, ...end } = last.get(id) ?? nothing
          const sentBy = (userId: UserId) =>
            isGroup(id)
              ? (counts.get(memberId(id, userId)) ?? 0)
              : sentInDirect(id, { ...end, sender, senderOrdinal }, userId)
          return [id, { ...end, sentBy, headSeq: heads.get(id)?.lastSeq ?? 0 }]
        }),
      )
    },

    async moveTo(stored) {
      const newest = new Map<ConversationId, MessageDocument>()
      for (const message of stored) {
        if (message.seq >= (newest.get(message.conversationId)?.seq ?? 0)) newest.set(message.conversationId, message)
      }
      if (newest.size === 0) return
      const moves = Array.from(newest.values(), ({ conversationId, seq, version, sentAt, sender, senderOrdinal }) => ({
        updateOne: {
          filter: { _id: conversationId, lastVersion: { $lt: version }, lastSeq: { $lte: seq } },
          update: {
            $set: {
              lastSeq: seq,
              lastVersion: version,
              lastSentAt: sentAt,
              lastSender: sender,
              lastSenderOrdinal: senderOrdinal,
            },
          },
        },
      }))
      await inTime(native(conversations).bulkWrite(moves, { ordered: false, maxTimeMS: waitMaxMs }))
    },
  }
}

/** How many of a direct conversation's messages up to this one are of this user: all others are of the other one. */
export const sentInDirect = (
  conversationId: ConversationId,
  { seq, sender, senderOrdinal }: Pick<MessageDocument, 'seq' | 'sender' | 'senderOrdinal'>,
  userId: UserId,
): number => {
  const isAlone = directMembers(conversationId)?.length === 1
  return sender === userId || isAlone ? senderOrdinal : seq - senderOrdinal
}

export const newMember = (conversationId: ConversationId, userId: UserId, fromSeq: number): MemberDocument => ({
  _id: memberId(conversationId, userId),
  conversationId,
  userId,
  kind: isGroup(conversationId) ? 'group' : 'direct',
  audience: audienceOf(conversationId),
  deliveredSeq: 0,
  readSeq: 0,
  version: 0,
  fromSeq,
})

const insertMissing = async <Document extends { _id: string }>(
  model: Model<Document>,
  documents: Document[],
): Promise<void> => {
  if (documents.length === 0) return
  const asked = native(model).insertMany(documents as never[], { ordered: false, maxTimeMS: waitMaxMs })
  const failure = await failureOf(asked)
  const inserted = insertedOf(documents.length, false, failure)
  if (!inserted || inserted.some(({ refused }) => refused)) throw unavailable(wordsOf(failure))
}
