import type { Message, Receipt, UserId } from '../contract/index.ts'
import type { StoredMessage } from './ports.ts'

/** Nobody has a receipt for it: the same to all who look. Written out, as a spread takes several times as long. */
export const asNew = ({
  id,
  conversationId,
  seq,
  version,
  sender,
  text,
  revision,
  sentAt,
  editedAt,
  deletedAt,
  clientMessageId,
}: StoredMessage): Message => ({
  id,
  conversationId,
  seq,
  version,
  sender,
  text,
  revision,
  sentAt,
  editedAt,
  deletedAt,
  clientMessageId,
  delivered: false,
  read: false,
})

/**
 * To its sender a message is delivered and read when it is so for all the others; to another, when it is for that user.
 * @param receipts those of its conversation
 */
export const asSeenBy = (viewer: UserId, message: StoredMessage, receipts: Receipt[]): Message => {
  const { seq, sender } = message
  const concerned = receipts.filter(({ userId }) => (viewer === sender ? userId !== sender : userId === viewer))
  // In notes to oneself the only member is the sender.
  const counted = concerned.length > 0 ? concerned : receipts
  return {
    ...message,
    delivered: counted.length > 0 && counted.every(({ deliveredSeq }) => deliveredSeq >= seq),
    read: counted.length > 0 && counted.every(({ readSeq }) => readSeq >= seq),
  }
}
