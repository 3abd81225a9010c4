import { directMembers, messageId, type Username } from '../../contract/index.ts'
import type { ConversationSummary, MessageStore, StoredMessage } from '../../domain/ports.ts'
import { audienceKeys } from './audience.ts'
import { messageIds, toMessage, toReceipt } from './documents.ts'
import { inTime } from './errors.ts'
import { waitMaxMs } from './limits.ts'
import { aggregate, type ConversationDocument, type Models } from './schema.ts'

type Here = 'conversation' | 'hasMessages' | 'conversations' | 'messages' | 'seqAt' | 'receipts'

/** Unread is looked for in so many messages at most: own ones do not count, and who only sends may have a million. */
const unreadMax = 1_000
/** So many places are looked at in one step of the search for a time: four steps for 16 million messages. */
const probes = 64

/** Conversations, their messages and receipts. */
export const conversationStore = (models: Models): Pick<MessageStore, Here> => {
  const { conversations, members, messages } = models
  const { trusted } = messages.base
  const reading = { lean: true, maxTimeMS: waitMaxMs } as const

  const lastSeqOf = async (conversationId: string): Promise<number> => {
    const [last] = await inTime(
      messages.find({ conversationId }, { seq: 1 }, { ...reading, sort: { seq: -1 }, limit: 1 }).exec(),
    )
    return last?.seq ?? 0
  }

  const receiptsOf = (conversationIds: string[]) =>
    inTime(members.find({ conversationId: trusted({ $in: conversationIds }) }, null, reading).exec())

  /** Others' messages above the place where each conversation was read to. */
  const countUnread = async (username: Username, heads: ConversationDocument[], readSeq: Map<string, number>) => {
    const above = heads.map(({ _id, lastSeq }) => ({
      conversationId: _id,
      seq: { $gt: Math.max(readSeq.get(_id) ?? 0, lastSeq - unreadMax), $lte: lastSeq },
      sender: { $ne: username },
    }))
    const counts = await aggregate<{ _id: string; count: number }>(messages, [
      { $match: { $or: above } },
      { $group: { _id: '$conversationId', count: { $sum: 1 } } },
    ])
    return new Map(counts.map(({ _id, count }) => [_id, count]))
  }

  return {
    async conversation(id) {
      const people = directMembers(id)
      const [head, lastSeq, others] = await Promise.all([
        inTime(conversations.findById(id, null, reading).exec()),
        lastSeqOf(id),
        people ? [] : receiptsOf([id]),
      ])
      return head && { id, kind: head.kind, members: people ?? others.map(({ username }) => username), lastSeq }
    },

    async hasMessages(places) {
      const ids = new Set(places.map(({ conversationId, seq }) => messageId(conversationId, seq)))
      const conversationIds = [...new Set(places.map(({ conversationId }) => conversationId))]
      const found = await inTime(
        messages
          .find(
            { conversationId: trusted({ $in: conversationIds }), _id: trusted({ $in: [...ids] }) },
            { _id: 1 },
            reading,
          )
          .exec(),
      )
      return found.length === ids.size
    },

    async messages({ conversationId, from, to, limit, newest }) {
      const found = await inTime(
        messages
          .find({ conversationId, seq: trusted({ $gte: from, $lte: to }) }, null, {
            ...reading,
            sort: { seq: newest ? -1 : 1 },
            limit,
          })
          .exec(),
      )
      return (newest ? found.reverse() : found).map(toMessage)
    },

    async seqAt(conversationId, time) {
      // Between the two: the first message of that time or later.
      let [low, high] = [1, (await lastSeqOf(conversationId)) + 1]
      while (low < high) {
        const step = Math.ceil((high - low) / probes)
        const seqs = Array.from({ length: Math.ceil((high - low) / step) }, (_, i) => low + i * step)
        const found = await inTime(
          messages
            .find(
              { conversationId, _id: trusted({ $in: messageIds(conversationId, seqs) }) },
              { seq: 1, sentAt: 1 },
              reading,
            )
            .exec(),
        )
        const earlier = found.filter(({ sentAt }) => sentAt < time).map(({ seq }) => seq)
        const later = found.filter(({ sentAt }) => sentAt >= time).map(({ seq }) => seq)
        low = Math.max(low, ...earlier.map((seq) => seq + 1))
        high = Math.min(high, ...later)
      }
      return low
    },

    receipts: async (conversationIds) =>
      conversationIds.length === 0 ? [] : (await receiptsOf(conversationIds)).map(toReceipt),

    async conversations(username, before, limit) {
      const keys = await audienceKeys(models, [username])
      const heads = await inTime(
        conversations
          .find(
            {
              audience: trusted({ $in: [...keys.keys()] }),
              lastVersion: trusted({ $gt: 0, $lt: before ?? Number.MAX_SAFE_INTEGER }),
            },
            null,
            { ...reading, sort: { lastVersion: -1 }, limit },
          )
          .exec(),
      )
      if (heads.length === 0) return []
      const ids = heads.map(({ _id }) => _id)
      const lastIds = heads.map(({ _id, lastSeq }) => messageId(_id, lastSeq))
      const [last, receipts] = await Promise.all([
        inTime(
          messages
            .find({ conversationId: trusted({ $in: ids }), _id: trusted({ $in: lastIds }) }, null, reading)
            .exec(),
        ),
        receiptsOf(ids),
      ])
      const mine = receipts.filter((receipt) => receipt.username === username)
      const unread = await countUnread(
        username,
        heads,
        new Map(mine.map(({ conversationId, readSeq }) => [conversationId, readSeq])),
      )
      const lastMessages = new Map(last.map((document) => [document.conversationId, toMessage(document)]))
      return heads.map(
        ({ _id, kind }): ConversationSummary => ({
          id: _id,
          kind,
          lastMessage: lastMessages.get(_id) as StoredMessage,
          unread: unread.get(_id) ?? 0,
          receipts: receipts.filter(({ conversationId }) => conversationId === _id).map(toReceipt),
        }),
      )
    },
  }
}
