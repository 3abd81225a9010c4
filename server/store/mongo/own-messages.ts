import type { ConversationId, UserId } from '../../contract/index.ts'
import { aggregateAll } from './reads.ts'
import type { MessageDocument, Models } from './schema.ts'

/** Up to which message of a group the own ones of this sender are asked for. */
export interface OwnUpTo {
  conversationId: ConversationId
  sender: UserId
  upTo: number
}

type Own = Pick<MessageDocument, 'conversationId' | 'sender' | 'seq' | 'senderOrdinal'>

/** The latest message of each of these senders at or below `upTo`: its ordinal says how many there are up to there. */
export const latestOwn = ({ messages }: Models, asked: OwnUpTo[]): Promise<Own[]> =>
  aggregateAll<Own>(
    messages,
    asked.map(({ conversationId, sender, upTo }) => [
      { $match: { inGroup: true, conversationId, sender, seq: { $lte: upTo } } },
      { $sort: { seq: -1 } },
      { $limit: 1 },
      { $project: { _id: 0, conversationId: 1, sender: 1, seq: 1, senderOrdinal: 1 } },
    ]),
  )
