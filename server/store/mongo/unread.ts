import type { ConversationId, UserId } from '../../contract/index.ts'
import { isGroup } from './documents.ts'
import { latestOwn } from './own-messages.ts'
import { aggregate } from './reads.ts'
import type { MessageDocument, Models } from './schema.ts'
import { sentInDirect } from './tails.ts'

/** What is counted in one conversation. */
export interface UnreadOf {
  conversationId: ConversationId
  /** What may be read above `readSeq`: `above < seq <= upTo`, in order, without overlaps. */
  ranges: { above: number; upTo: number }[]
}

/** The message of a direct conversation at a place that was asked for, where there is one. */
export type MessageAt = (conversationId: ConversationId, seq: number) => MessageDocument | undefined

/**
 * Others' messages that are not deleted, without counting them one by one: `seq` says how many messages there are,
 * `senderOrdinal` how many are the user's own, and the deleted ones, which are few, have an index of their own.
 */
export const countUnread = async (
  models: Models,
  userId: UserId,
  asked: UnreadOf[],
  messageAt: MessageAt,
): Promise<Map<ConversationId, number>> => {
  const [own, deleted] = await Promise.all([ownInGroups(models, userId, asked), deletedOfOthers(models, userId, asked)])
  const ownUpTo = (conversationId: ConversationId, seq: number): number => {
    if (seq === 0) return 0
    if (isGroup(conversationId)) return own.get(`${conversationId} ${seq}`) ?? 0
    const message = messageAt(conversationId, seq)
    return message ? sentInDirect(conversationId, message, userId) : 0
  }
  return new Map(
    asked.map(({ conversationId, ranges }) => {
      const others = ranges.map(
        ({ above, upTo }) => upTo - above - (ownUpTo(conversationId, upTo) - ownUpTo(conversationId, above)),
      )
      const unread = others.reduce((sum, count) => sum + count, 0) - (deleted.get(conversationId) ?? 0)
      return [conversationId, unread]
    }),
  )
}

/** How many own messages there are up to the ends of the ranges, by `<conversation> <seq>`. */
const ownInGroups = async (models: Models, userId: UserId, asked: UnreadOf[]): Promise<Map<string, number>> => {
  const ends = asked
    .filter(({ conversationId }) => isGroup(conversationId))
    .flatMap(({ conversationId, ranges }) =>
      ranges.flatMap(({ above, upTo }) => [above, upTo]).map((upTo) => ({ conversationId, sender: userId, upTo })),
    )
    .filter(({ upTo }) => upTo > 0)
  const byConversation = new Map<string, { seq: number; senderOrdinal: number }[]>()
  for (const { conversationId, seq, senderOrdinal } of await latestOwn(models, ends)) {
    byConversation.set(conversationId, [...(byConversation.get(conversationId) ?? []), { seq, senderOrdinal }])
  }
  return new Map(
    ends.map(({ conversationId, upTo }) => {
      const before = (byConversation.get(conversationId) ?? []).filter(({ seq }) => seq <= upTo)
      return [`${conversationId} ${upTo}`, Math.max(0, ...before.map(({ senderOrdinal }) => senderOrdinal))]
    }),
  )
}

const deletedOfOthers = async (
  { messages }: Models,
  userId: UserId,
  asked: UnreadOf[],
): Promise<Map<ConversationId, number>> => {
  const ranges = asked.flatMap(({ conversationId, ranges }) =>
    ranges.map(({ above, upTo }) => ({ conversationId, seq: { $gt: above, $lte: upTo } })),
  )
  if (ranges.length === 0) return new Map()
  const counts = await aggregate<{ _id: string; count: number }>(messages, [
    { $match: { deletedAt: { $exists: true }, sender: { $ne: userId }, $or: ranges } },
    { $group: { _id: '$conversationId', count: { $sum: 1 } } },
  ])
  return new Map(counts.map(({ _id, count }) => [_id, count]))
}
