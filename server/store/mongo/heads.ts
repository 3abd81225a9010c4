import type { Model } from 'mongoose'
import type { ConversationId } from '../../contract/index.ts'
import type { Draft, StoredMessage } from '../../domain/ports.ts'
import { audienceOf, memberId } from './documents.ts'
import { failureOf, insertedOf, inTime, unavailable, wordsOf } from './errors.ts'
import { waitMaxMs } from './limits.ts'
import { type ConversationDocument, type MemberDocument, type Models, native } from './schema.ts'

/** The last message of a conversation, as far as the next one needs to know. */
export interface Top {
  seq: number
  version: number
  sentAt: Date
}

const nothing: Top = { seq: 0, version: 0, sentAt: new Date(0) }

/** What is to be added, as far as heads go by it. */
export interface Appending {
  draft: Draft
  /** The conversation had gone on; what stands of it in `conversations` may be old. */
  collided: boolean
}

/** Where conversations stand, for whoever adds to them. */
export interface Heads {
  /** Creates the conversations that are not there yet. */
  tops(appends: Appending[]): Promise<Map<ConversationId, Top>>
  /** Moves them on to these messages, never back. */
  moveTo(messages: StoredMessage[]): Promise<void>
}

export const createHeads = ({ conversations, members, messages }: Models): Heads => {
  const { trusted } = conversations.base
  // With the read concern of the schema: what is not durable yet may be taken back by a failover, and whatever was built on
  // it would stand behind a hole. Who sees too little collides with what is there, and looks again.
  const reading = { lean: true, maxTimeMS: waitMaxMs } as const

  const topOf = ({ lastSeq, lastVersion, lastSentAt }: ConversationDocument): Top => ({
    seq: lastSeq,
    version: lastVersion,
    sentAt: lastSentAt,
  })

  /** The messages themselves say it, where a node ended between a message and its conversation. */
  const lookBehind = async (tops: Map<ConversationId, Top>, ids: ConversationId[]): Promise<void> => {
    const behind = ids.map((conversationId) => ({
      conversationId,
      seq: trusted({ $gt: tops.get(conversationId)?.seq ?? 0 }),
    }))
    const found = await inTime(
      messages.find({ $or: behind }, { conversationId: 1, seq: 1, version: 1, sentAt: 1 }, reading).exec(),
    )
    for (const { conversationId, seq, version, sentAt } of found) {
      if (seq > (tops.get(conversationId)?.seq ?? 0)) tops.set(conversationId, { seq, version, sentAt })
    }
  }

  /** Members first: a conversation that is there has all of them. */
  const create = async (appends: Appending[]): Promise<void> => {
    const drafts = new Map(appends.map(({ draft }) => [draft.conversationId, draft]))
    const newMembers: MemberDocument[] = []
    const newConversations: ConversationDocument[] = []
    for (const { conversationId, kind, members } of drafts.values()) {
      const audience = audienceOf(conversationId, kind, members)
      for (const username of members)
        newMembers.push({
          _id: memberId(conversationId, username),
          conversationId,
          username,
          kind,
          audience,
          deliveredSeq: 0,
          readSeq: 0,
          version: 0,
        })
      newConversations.push({
        _id: conversationId,
        kind,
        audience,
        lastSeq: 0,
        lastSentAt: nothing.sentAt,
        lastVersion: 0,
      })
    }
    await insertMissing(members, newMembers)
    await insertMissing(conversations, newConversations)
  }

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

  return {
    async tops(appends) {
      if (appends.length === 0) return new Map()
      const ids = [...new Set(appends.map(({ draft }) => draft.conversationId))]
      const found = await inTime(conversations.find({ _id: trusted({ $in: ids }) }, null, reading).exec())
      const tops = new Map(found.map((document) => [document._id, topOf(document)]))
      await create(appends.filter(({ draft }) => !tops.has(draft.conversationId)))
      for (const id of ids) if (!tops.has(id)) tops.set(id, nothing)
      const collided = appends.filter((append) => append.collided).map(({ draft }) => draft.conversationId)
      if (collided.length > 0) await lookBehind(tops, [...new Set(collided)])
      return tops
    },

    async moveTo(stored) {
      const newest = new Map<ConversationId, StoredMessage>()
      for (const message of stored) {
        if (message.seq >= (newest.get(message.conversationId)?.seq ?? 0)) newest.set(message.conversationId, message)
      }
      if (newest.size === 0) return
      const moves = Array.from(newest.values(), ({ conversationId, seq, version, sentAt }) => ({
        updateOne: {
          filter: { _id: conversationId, lastVersion: { $lt: version }, lastSeq: { $lte: seq } },
          update: { $set: { lastSeq: seq, lastVersion: version, lastSentAt: sentAt } },
        },
      }))
      await inTime(native(conversations).bulkWrite(moves, { ordered: false, maxTimeMS: waitMaxMs }))
    },
  }
}
