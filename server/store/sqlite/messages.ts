import type { ConversationSummary, MessageStore, StoredConversation } from '../../domain/ports.ts'
import type { Commits } from './commits.ts'
import type { Reads } from './reads.ts'
import {
  bySeq,
  byVersion,
  firstSeq,
  type MessageRow,
  messageColumns,
  type ReceiptRow,
  receiptColumns,
  toMessage,
  toReceipt,
} from './rows.ts'

type Here =
  | 'append'
  | 'advance'
  | 'onLate'
  | 'conversation'
  | 'hasMessages'
  | 'conversations'
  | 'messages'
  | 'seqAt'
  | 'receipts'
type SummaryRow = [kind: 'direct' | 'group', last: MessageRow, unread: number, receipts: ReceiptRow[]]

/** Conversations, their messages and receipts. */
export const messageStore = ({ write }: Commits, reads: Reads): Pick<MessageStore, Here> => {
  const conversation = reads.prepare<[StoredConversation['kind'], number, string[]][]>(`
    SELECT json_group_array(json_array(kind, last_seq,
      (SELECT json_group_array(username) FROM member WHERE conversation = key))) FROM conversation WHERE id = ?`)

  const missing = reads.prepare<number[]>(`
    SELECT json_array(count(*)) FROM json_each(?) place WHERE NOT EXISTS (
      SELECT 1 FROM conversation c JOIN message m ON m.conversation = c.key
      WHERE c.id = place.value ->> 0 AND m.seq = place.value ->> 1)`)

  const page = (order: 'ASC' | 'DESC') =>
    reads.prepare<MessageRow[]>(`
      SELECT json_group_array(json_array(id, seq, version, sender, text, sent_at, client_message_id)) FROM (
        SELECT ${messageColumns} FROM conversation c JOIN message m ON m.conversation = c.key
        WHERE c.id = ? AND m.seq BETWEEN ? AND ? ORDER BY m.seq ${order} LIMIT ?)`)
  const oldest = page('ASC')
  const newest = page('DESC')

  const seqAt = reads.prepare<number[]>(`
    SELECT json_group_array(${firstSeq('m.sent_at >= ?2')}) FROM conversation c WHERE c.id = ?1`)

  const receipts = reads.prepare<ReceiptRow[]>(`
    SELECT json_group_array(json_array(${receiptColumns}))
    FROM conversation c JOIN member r ON r.conversation = c.key
    WHERE c.id IN (SELECT value FROM json_each(?))`)

  // Unread is looked for in so many messages at most: own ones do not count, and who only sends may have a million.
  const conversations = reads.prepare<SummaryRow[]>(`
    SELECT json_group_array(json_array(
      c.kind,
      json_array(${messageColumns}),
      (SELECT count(*) FROM message unread WHERE unread.conversation = c.key
        AND unread.seq > max(c.read_seq, c.last_seq - 1000) AND unread.sender <> ?1),
      (SELECT json_group_array(json_array(${receiptColumns})) FROM member r WHERE r.conversation = c.key)))
    FROM (
      SELECT c.*, me.read_seq FROM member me JOIN conversation c ON c.key = me.conversation
      WHERE me.username = ?1 AND c.last_seq > 0 AND c.last_version < ?2
      ORDER BY c.last_version DESC LIMIT ?3) c
    JOIN message m ON m.version = c.last_version`)

  return {
    append: ({ conversationId, kind, members, sender, text, clientMessageId, sentAt: at }) =>
      write(['append', conversationId, kind, members, sender, text, clientMessageId, at.getTime()]).then(
        ([seq, version, sentAt, repeated]) => ({
          message: toMessage([conversationId, seq, version, sender, text, sentAt, clientMessageId]),
          repeated,
        }),
      ),

    async advance(moves) {
      const moved = await write([
        'advance',
        moves.map((move) => [move.conversationId, move.username, move.deliveredSeq, move.readSeq]),
      ])
      return moved.map(toReceipt)
    },

    // Whoever waits for a commit is told when it has ended, never before.
    onLate() {},

    async conversation(id) {
      const [row] = conversation(id)
      return row ? { id, kind: row[0], lastSeq: row[1], members: row[2] } : null
    },

    hasMessages: async (places) =>
      missing(JSON.stringify(places.map(({ conversationId, seq }) => [conversationId, seq])))[0] === 0,

    messages: async (range) =>
      (range.newest ? newest : oldest)(range.conversationId, range.from, range.to, range.limit)
        .sort(bySeq)
        .map(toMessage),

    seqAt: async (conversationId, time) => seqAt(conversationId, time.getTime())[0] ?? 1,

    receipts: async (conversationIds) => receipts(JSON.stringify(conversationIds)).map(toReceipt),

    conversations: async (username, before, limit) =>
      conversations(username, before ?? Number.MAX_SAFE_INTEGER, limit)
        .map(toSummary)
        .sort((a, b) => byVersion(b.lastMessage, a.lastMessage)),
  }
}

const toSummary = ([kind, last, unread, receipts]: SummaryRow): ConversationSummary => ({
  id: last[0],
  kind,
  lastMessage: toMessage(last),
  unread,
  receipts: receipts.map(toReceipt),
})
