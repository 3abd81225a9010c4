import { directMembers } from '../../contract/index.ts'
import type { MessageStore } from '../../domain/ports.ts'
import { isMember, toMessage, toReceipt } from './documents.ts'
import { listConversations } from './list-conversations.ts'
import { memberStore } from './members.ts'
import { find, findOne } from './reads.ts'
import type { Models } from './schema.ts'
import { textVersions } from './texts.ts'

type Here =
  | 'conversation'
  | 'conversations'
  | 'messagesAt'
  | 'messages'
  | 'textVersions'
  | 'seqAt'
  | 'receipts'
  | keyof ReturnType<typeof memberStore>

/** So many places are looked at in one step of the search for a time: four steps for 16 million messages. */
const probes = 64

/** Conversations, their members, messages and receipts. */
export const conversationStore = (models: Models): Pick<MessageStore, Here> => {
  const { conversations, members, messages } = models

  /** The messages say it themselves: their conversation may lag behind them. */
  const lastSeqOf = async (conversationId: string): Promise<number> =>
    (await findOne(messages, { conversationId }, { sort: { seq: -1 }, projection: { seq: 1 } }))?.seq ?? 0

  const membersOf = (conversationIds: string[]) =>
    find(members, { conversationId: { $in: conversationIds }, ...isMember })

  return {
    ...memberStore(models, lastSeqOf),

    async conversation(id) {
      const people = directMembers(id)
      const [head, lastSeq, inGroup] = await Promise.all([
        findOne(conversations, { _id: id }),
        lastSeqOf(id),
        people ? [] : membersOf([id]),
      ])
      return head && { id, kind: head.kind, members: people ?? inGroup.map(({ userId }) => userId), lastSeq }
    },

    async messagesAt(places) {
      const seqs = new Map<string, number[]>()
      for (const { conversationId, seq } of places) seqs.set(conversationId, [...(seqs.get(conversationId) ?? []), seq])
      const at = Array.from(seqs, ([conversationId, seqs]) => ({ conversationId, seq: { $in: seqs } }))
      if (at.length === 0) return []
      return (await find(messages, at.length === 1 ? { ...at[0] } : { $or: at })).map(toMessage)
    },

    async messages({ conversationId, from, to, limit, newest }) {
      const range = { conversationId, seq: { $gte: from, $lte: to } }
      const found = await find(messages, range, { sort: { seq: newest ? -1 : 1 }, limit })
      return (newest ? found.reverse() : found).map(toMessage)
    },

    async textVersions({ conversationId, seq }) {
      const message = await findOne(messages, { conversationId, seq })
      return message && !message.deletedAt ? textVersions(models, message) : []
    },

    async seqAt(conversationId, time) {
      // Between the two: the first message of that time or later.
      let [low, high] = [1, (await lastSeqOf(conversationId)) + 1]
      while (low < high) {
        const step = Math.ceil((high - low) / probes)
        const seqs = Array.from({ length: Math.ceil((high - low) / step) }, (_, i) => low + i * step)
        const found = await find(
          messages,
          { conversationId, seq: { $in: seqs } },
          { projection: { seq: 1, sentAt: 1 } },
        )
        const earlier = found.filter(({ sentAt }) => sentAt < time).map(({ seq }) => seq)
        const later = found.filter(({ sentAt }) => sentAt >= time).map(({ seq }) => seq)
        low = Math.max(low, ...earlier.map((seq) => seq + 1))
        high = Math.min(high, ...later)
      }
      return low
    },

    receipts: async (conversationIds) =>
      conversationIds.length === 0 ? [] : (await membersOf(conversationIds)).map(toReceipt),

    conversations: (userId, before, limit) => listConversations(models, userId, before, limit),
  }
}
