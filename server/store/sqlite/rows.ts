import type { Profile, Receipt } from '../../contract/index.ts'
// Not by the index, which brings zod along: it would be loaded once more in the writer's thread.
import { messageId } from '../../contract/places.ts'
import type { Change, StoredMessage } from '../../domain/ports.ts'

/** A message `m` of a conversation `c`, field by field: the one list of what a message is here. */
export const messageColumns = `c.id, m.seq, coalesce(m.changed_version, m.sent_version), m.sender, m.text, m.revision,
  m.sent_at, m.edited_at, m.deleted_at, m.client_message_id`

export type MessageRow = [
  conversationId: string,
  seq: number,
  version: number,
  sender: string,
  text: string,
  revision: number,
  sentAt: number,
  editedAt: number | null,
  deletedAt: number | null,
  clientMessageId: string | null,
]

export const toMessage = ([
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
]: MessageRow): StoredMessage => ({
  id: messageId(conversationId, seq),
  conversationId,
  seq,
  version,
  sender,
  text,
  revision,
  sentAt: new Date(sentAt),
  editedAt: dateOf(editedAt),
  deletedAt: dateOf(deletedAt),
  clientMessageId,
})

export const dateOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms))

/** Rows are put in order here, as SQLite promises no order inside an array, and sorting there costs more. */
export const bySeq = (a: MessageRow, b: MessageRow): number => a[1] - b[1]

/** A member `r` of a conversation `c`. */
export const receiptColumns = 'c.id, r.user_id, r.delivered_seq, r.read_seq, r.version'

export type ReceiptRow = [
  conversationId: string,
  userId: string,
  deliveredSeq: number,
  readSeq: number,
  version: number,
]

export const toReceipt = ([conversationId, userId, deliveredSeq, readSeq, version]: ReceiptRow): Receipt => ({
  conversationId,
  userId,
  deliveredSeq,
  readSeq,
  version,
})

/** A user `u`. */
export const profileColumns = 'u.user_id, u.display_name, u.version'

export type ProfileRow = [userId: string, displayName: string, version: number]

export const toProfile = ([userId, displayName, version]: ProfileRow): Profile => ({ userId, displayName, version })

export const messageChange = (kind: 'message' | 'messageChanged', version: number, message: StoredMessage): Change => ({
  kind,
  version,
  conversationId: message.conversationId,
  message,
})
export const receiptChange = (version: number, receipt: Receipt): Change => ({
  kind: 'receipt',
  version,
  conversationId: receipt.conversationId,
  receipt,
})
export const profileChange = (version: number, user: Profile): Change => ({
  kind: 'user',
  version,
  conversationId: null,
  user,
})

/**
 * The first seq between `from` and `to` of the conversation `key` whose message `m` fulfils `condition`, `to` + 1 where none
 * does; the condition holds for all that follow the first. A binary search: 20 steps for a million messages, all of them
 * in the index where the condition is on `sent_version`.
 */
export const firstSeq = (key: string, from: string, to: string, condition: string): string => `(
  WITH RECURSIVE search (low, high) AS (
    SELECT ${from}, ${to} + 1
    UNION ALL
    SELECT iif(${condition}, low, m.seq + 1), iif(${condition}, m.seq, high)
    FROM search JOIN message m ON m.conversation = ${key} AND m.seq = (low + high) / 2
    WHERE low < high
  )
  SELECT low FROM search WHERE low >= high)`
