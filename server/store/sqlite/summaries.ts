import type { ConversationSummary, MessageStore } from '../../domain/ports.ts'
import type { Reads } from './reads.ts'
import { type MessageRow, messageColumns, type ReceiptRow, receiptColumns, toMessage, toReceipt } from './rows.ts'

/** Messages of a conversation above a place up to another. */
type Span = [key: number, low: number, high: number]

type SummaryRow = [
  key: number,
  kind: 'direct' | 'group',
  lastVersion: number,
  last: MessageRow,
  receipts: ReceiptRow[],
  /** The part of each interval of the user that is not read. */
  unreadSpans: [low: number, high: number][],
]

/** The list of a user's conversations, with what is unread. */
export const summaryStore = (reads: Reads): Pick<MessageStore, 'conversations'> => {
  /** The newest message that the user may read: the last one of the newest interval in which there is any. */
  const summaries = reads.prepare<SummaryRow[]>(`
    WITH mine AS MATERIALIZED (
      SELECT r.conversation AS key, max(min(c.last_seq, coalesce(r.until_seq, c.last_seq))) AS seq
      FROM readable r JOIN conversation c ON c.key = r.conversation
      WHERE r.user_id = ?1 AND min(c.last_seq, coalesce(r.until_seq, c.last_seq)) >= r.from_seq
      GROUP BY r.conversation),
    page AS MATERIALIZED (
      SELECT c.key, c.id, c.kind, m.sent_version, octet_length(m.text) AS bytes
      FROM mine JOIN conversation c ON c.key = mine.key
      JOIN message m ON m.conversation = mine.key AND m.seq = mine.seq
      WHERE m.sent_version < ?2 ORDER BY m.sent_version DESC LIMIT ?3),
    wanted AS MATERIALIZED (
      SELECT *, sum(bytes) OVER (ORDER BY sent_version DESC) - bytes AS newer FROM page)
    SELECT json_group_array(json_array(c.key, c.kind, c.sent_version,
      (SELECT json_array(${messageColumns}) FROM message m WHERE m.sent_version = c.sent_version),
      (SELECT json_group_array(json_array(${receiptColumns})) FROM member r
        WHERE r.conversation = c.key AND r.until_seq IS NULL),
      (SELECT json_group_array(json_array(
          max(r.from_seq - 1, (SELECT read_seq FROM member WHERE conversation = c.key AND user_id = ?1)),
          min(head.last_seq, coalesce(r.until_seq, head.last_seq))))
        FROM readable r JOIN conversation head ON head.key = r.conversation
        WHERE r.user_id = ?1 AND r.conversation = c.key)))
    FROM wanted c WHERE c.newer <= ?4`)

  /**
   * Of each span: how many messages of others that are not deleted. All of its messages, less the user's own, less the
   * deleted ones of others; each read in an index, however many there are.
   */
  const unread = reads.prepare<[index: number, count: number][]>(`
    WITH span AS (
      SELECT key AS i, value ->> 0 AS key, value ->> 1 AS low, value ->> 2 AS high FROM json_each(?2))
    SELECT json_group_array(json_array(s.i,
      s.high - s.low - ${ownUpTo('s.high')} + ${ownUpTo('s.low')}
      - (SELECT count(*) FROM message d INDEXED BY message_deleted WHERE d.conversation = s.key AND d.seq > s.low AND d.seq <= s.high
          AND d.deleted_at IS NOT NULL AND d.sender <> ?1)))
    FROM span s JOIN conversation c ON c.key = s.key`)

  const countUnread = async (userId: string, spans: Span[]): Promise<Map<number, number>> => {
    const counts = new Map<number, number>()
    for (const [i, count] of spans.length === 0 ? [] : await unread(userId, JSON.stringify(spans))) {
      const [key] = spans[i] as Span
      counts.set(key, (counts.get(key) ?? 0) + count)
    }
    return counts
  }

  return {
    async conversations(userId, before, limit, bytes = Number.MAX_SAFE_INTEGER) {
      const rows = await summaries(userId, before ?? Number.MAX_SAFE_INTEGER, limit, bytes)
      const spans = rows.flatMap(([key, , , , , unreadSpans]) =>
        unreadSpans.flatMap(([low, high]): Span[] => (high > low ? [[key, low, high]] : [])),
      )
      const counts = await countUnread(userId, spans)
      return rows
        .map(
          ([key, kind, lastVersion, last, receipts]): ConversationSummary => ({
            id: last[0],
            kind,
            lastMessage: toMessage(last),
            lastVersion,
            unread: counts.get(key) ?? 0,
            receipts: receipts.map(toReceipt),
          }),
        )
        .sort((a, b) => b.lastVersion - a.lastVersion)
    },
  }
}

/**
 * How many of the messages up to `seq` of conversation `c` are of user ?1. In a direct conversation the row at that place
 * tells it: it counts those of its sender, and all others are of the other one. In a group the user's last one up to there.
 */
function ownUpTo(seq: string): string {
  return `coalesce(iif(c.kind = 'direct',
    (SELECT iif(m.sender = ?1, m.sender_ordinal, m.seq - m.sender_ordinal)
      FROM message m WHERE m.conversation = c.key AND m.seq = ${seq}),
    (SELECT m.sender_ordinal FROM message m INDEXED BY message_by_sender
      WHERE m.conversation = c.key AND m.sender = ?1 AND m.seq <= ${seq} AND m.in_group = 1 ORDER BY m.seq DESC LIMIT 1)), 0)`
}
