import type { ChangeOf, ConversationId, Message, Receipt, Seq, UserId, Version } from '../../contract/index.ts'

/** A message as it is for everybody; `delivered` and `read` depend on who looks, and come from the receipts. */
export type StoredMessage = Omit<Message, 'delivered' | 'read'>

/**
 * Something that changed, at its latest state. Its `version` is its place in the order of changes: of a `message` the one
 * at which it was sent, so that the messages of a conversation come in the order of their numbers; of all else the one of
 * this change. The state itself may be of a later version by the time it is read.
 */
export type Change = ChangeOf<StoredMessage>

/** A change as the bus carries it: a message is as it is for everybody at first, not delivered and not read. */
export type PublishedChange = ChangeOf<Message>

/** What somebody may read of a conversation: the messages with `fromSeq <= seq <= untilSeq`. */
export interface Interval {
  fromSeq: Seq
  /** Null: the user is a member. */
  untilSeq: number | null
}

export interface StoredConversation {
  id: ConversationId
  kind: 'direct' | 'group'
  /** Those who are members now. */
  members: UserId[]
  /** 0 where nothing was said yet. */
  lastSeq: number
}

export interface Draft {
  conversationId: ConversationId
  /** Creates the conversation with these members where there is none. */
  members: UserId[]
  kind: 'direct' | 'group'
  sender: UserId
  text: string
  clientMessageId: string | null
  /** The stored message never has an earlier time than the one before it in its conversation. */
  sentAt: Date
}

/** Where a message stands. */
export interface MessagePlace {
  conversationId: ConversationId
  seq: Seq
}

export interface ConversationSummary {
  id: ConversationId
  kind: 'direct' | 'group'
  /** The newest one that the caller may read. */
  lastMessage: StoredMessage
  /** The version at which that one was sent: the summaries are ordered by it. */
  lastVersion: Version
  /** Others' messages above the caller's `readSeq` that the caller may read and that are not deleted. Exact, at any size. */
  unread: number
  /** One for each member. */
  receipts: Receipt[]
}
