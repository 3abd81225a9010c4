import { z } from 'zod'
import { isWellFormed, type Profile } from './accounts.ts'
import { Address, ClientMessageId, ConversationId, MessageId, Seq, type UserId, type Version } from './ids.ts'
import { limits } from './limits.ts'

export const MessageText = z
  .string()
  .max(limits.textMax)
  .refine((text) => text.trim() !== '', 'A message says something')
  .refine(isWellFormed, 'Not well-formed Unicode')

export const SendMessage = z.strictObject({
  to: Address,
  text: MessageText,
  clientMessageId: ClientMessageId.optional(),
})
export type SendMessage = z.infer<typeof SendMessage>

/** Edits the message at the revision that the editor saw: of two racing edits one wins, the other is a `conflict`. */
export const EditMessage = z.strictObject({
  messageId: MessageId,
  text: MessageText,
  revision: z.int().min(1).describe('The `revision` of the message that this edit was made on.'),
})
export type EditMessage = z.infer<typeof EditMessage>

export const DeleteMessage = z.strictObject({ messageId: MessageId })
export type DeleteMessage = z.infer<typeof DeleteMessage>

export const MessageVersions = z.strictObject({ messageId: MessageId })
export type MessageVersions = z.infer<typeof MessageVersions>

export const MarkRead = z.strictObject({ messageId: MessageId })
export type MarkRead = z.infer<typeof MarkRead>

/** In each conversation everything up to and including `seq` has arrived. */
export const MarkDelivered = z
  .array(z.strictObject({ conversationId: ConversationId, seq: Seq }))
  .min(1)
  .max(limits.receiptsPerCall)
export type MarkDelivered = z.infer<typeof MarkDelivered>

/** At most one of `before`, `after` (exclusive), `around` (inclusive) and `beforeTime`; none: the newest. */
export const History = z
  .strictObject({
    conversation: Address,
    limit: z
      .int()
      .min(1)
      .max(limits.pageMax)
      .default(limits.pageDefault)
      .describe('At most so many; a page of long messages has fewer.'),
    before: Seq.optional().describe('The newest messages before this number.'),
    after: z.int().min(0).optional().describe('The oldest messages after this number.'),
    around: Seq.optional().describe('The messages on both sides of this number, and the one of this number.'),
    beforeTime: z.date().optional().describe('The newest messages that were sent before.'),
  })
  .refine(
    ({ before, after, around, beforeTime }) =>
      [before, after, around, beforeTime].filter((place) => place !== undefined).length <= 1,
    'Give at most one of before, after, around and beforeTime',
  )
export type History = z.infer<typeof History>

export const Conversations = z
  .strictObject({
    limit: z.int().min(1).max(limits.pageMax).default(limits.pageDefault),
    cursor: z.string().max(32).optional(),
  })
  .default({ limit: limits.pageDefault })
export type Conversations = z.infer<typeof Conversations>

export interface Message {
  id: MessageId
  conversationId: ConversationId
  seq: Seq
  version: Version
  sender: UserId
  /** Empty once it was deleted. */
  text: string
  /** Counts the texts: 1 as it was sent, one more with each edit. */
  revision: number
  /** When the server took it; never earlier than the message before it. */
  sentAt: Date
  /** When its text was last edited; null: never. */
  editedAt: Date | null
  /** When it was deleted; null: it was not. Its number stays. */
  deletedAt: Date | null
  /** What the sender called it, or null. */
  clientMessageId: string | null
  /** To its sender: every other member's client has it. To another member: one of her own clients has it. */
  delivered: boolean
  /** To its sender: every other member has read it. To another member: she has read it. */
  read: boolean
}

/** One text of a message. */
export interface TextVersion {
  revision: number
  text: string
  /** From when on the message had this text. */
  since: Date
}

export interface MessageVersionList {
  messageId: MessageId
  /**
   * The texts of this message, the first one first, the present one last; of the former ones at most 50: the first and the
   * newest. None where the message was deleted.
   */
  versions: TextVersion[]
}

/** How far one member is: everything up to and including these numbers. 0: nothing. `readSeq <= deliveredSeq`. */
export interface Receipt {
  conversationId: ConversationId
  userId: UserId
  deliveredSeq: number
  readSeq: number
  version: Version
}

export interface HistoryPage {
  conversationId: ConversationId
  /** In order of `seq`, oldest first. */
  messages: Message[]
  /** Everybody who sent one of these messages, and every member of a direct conversation. */
  people: Profile[]
  /** Pass as `before` for the page of older messages; null: there are none. */
  nextBefore: Seq | null
  /** Pass as `after` for the page of newer messages; null: there are none yet. */
  nextAfter: Seq | null
}

export interface Conversation {
  id: ConversationId
  kind: 'direct' | 'group'
  members: Profile[]
  lastMessage: Message | null
  /** Messages of others that the caller has not read; deleted ones do not count. Exact. */
  unread: number
  /** One for each member. */
  receipts: Receipt[]
}

export interface ConversationPage {
  /** The one with the newest message first. */
  conversations: Conversation[]
  nextCursor: string | null
}
