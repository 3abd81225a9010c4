import { messageId, type Receipt } from '../../contract/index.ts'
import type { StoredMessage } from '../../domain/ports.ts'
import type { Moved } from './operations.ts'

export type MessageRow = [
  conversationId: string,
  seq: number,
  version: number,
  sender: string,
  text: string,
  sentAt: number,
  clientMessageId: string | null,
]

/** A message `m` of a conversation `c`. */
export const messageColumns = 'c.id, m.seq, m.version, m.sender, m.text, m.sent_at, m.client_message_id'

/** Rows are put in order here, as SQLite promises no order inside an array, and sorting there costs more. */
export const bySeq = (a: MessageRow, b: MessageRow): number => a[1] - b[1]
export const byVersion = (a: { version: number }, b: { version: number }): number => a.version - b.version

export const toMessage = ([
  conversationId,
  seq,
  version,
  sender,
  text,
  sentAt,
  clientMessageId,
]: MessageRow): StoredMessage => ({
  id: messageId(conversationId, seq),
  conversationId,
  seq,
  version,
  sender,
  text,
  sentAt: new Date(sentAt),
  clientMessageId,
})

export type ReceiptRow = Moved

/** A member `r` of a conversation `c`. */
export const receiptColumns = 'c.id, r.username, r.delivered_seq, r.read_seq, r.version'

export const toReceipt = ([conversationId, username, deliveredSeq, readSeq, version]: ReceiptRow): Receipt => ({
  conversationId,
  username,
  deliveredSeq,
  readSeq,
  version,
})

/**
 * The first seq of a conversation `c` whose message `m` fulfils `condition`, last_seq + 1 where none does; the condition
 * holds for all that follow the first. A binary search: 20 steps for a million messages.
 */
export const firstSeq = (condition: string): string => `(
  WITH RECURSIVE search (low, high) AS (
    SELECT 1, c.last_seq + 1
    UNION ALL
    SELECT iif(${condition}, low, m.seq + 1), iif(${condition}, m.seq, high)
    FROM search JOIN message m ON m.conversation = c.key AND m.seq = (low + high) / 2
    WHERE low < high
  )
  SELECT low FROM search WHERE low >= high)`
