import type { MessageStore, StoredConversation } from '../../domain/ports.ts'
import type { Commits } from './commits.ts'
import type { Reads } from './reads.ts'
import { type ReceiptRow, receiptColumns, toReceipt } from './rows.ts'

type Here =
  | 'conversation'
  | 'intervals'
  | 'conversationsOf'
  | 'groups'
  | 'addMember'
  | 'removeMember'
  | 'receipts'
  | 'advance'

/** Who is in which conversation, since when and how far. */
export const memberStore = ({ write }: Commits, reads: Reads): Pick<MessageStore, Here> => {
  const conversation = reads.prepare<[StoredConversation['kind'], number, string[]][]>(`
    SELECT json_group_array(json_array(kind, last_seq,
      (SELECT json_group_array(user_id) FROM member WHERE conversation = key AND until_seq IS NULL)))
    FROM conversation WHERE id = ?`)

  const intervals = reads.prepare<[number, number | null][]>(`
    SELECT json_group_array(json_array(r.from_seq, r.until_seq))
    FROM conversation c JOIN readable r ON r.conversation = c.key
    WHERE c.id = ? AND r.user_id = ? AND (r.until_seq IS NULL OR r.until_seq >= r.from_seq)`)

  const conversationsOf = reads.prepare<string[]>(`
    SELECT json_group_array(c.id) FROM member me JOIN conversation c ON c.key = me.conversation
    WHERE me.user_id = ? AND me.until_seq IS NULL`)

  const groups = reads.prepare<string[]>(`
    SELECT json_group_array(c.id) FROM member me JOIN conversation c ON c.key = me.conversation
    WHERE me.user_id = ? AND me.until_seq IS NULL AND c.kind = 'group'`)

  const receipts = reads.prepare<ReceiptRow[]>(`
    SELECT json_group_array(json_array(${receiptColumns}))
    FROM conversation c JOIN member r ON r.conversation = c.key
    WHERE c.id IN (SELECT value FROM json_each(?)) AND r.until_seq IS NULL`)

  return {
    async conversation(id) {
      const [row] = await conversation(id)
      return row ? { id, kind: row[0], lastSeq: row[1], members: row[2] } : null
    },

    intervals: async (conversationId, userId) =>
      (await intervals(conversationId, userId))
        .map(([fromSeq, untilSeq]) => ({ fromSeq, untilSeq }))
        .sort((a, b) => a.fromSeq - b.fromSeq),

    conversationsOf,
    groups,

    addMember: (conversationId, userId, fromSeq) => write(['addMember', conversationId, userId, fromSeq], nothing),
    removeMember: (conversationId, userId) => write(['removeMember', conversationId, userId], nothing),

    receipts: async (conversationIds) => (await receipts(JSON.stringify(conversationIds))).map(toReceipt),

    advance: (moves) =>
      write(
        ['advance', moves.map((move) => [move.conversationId, move.userId, move.deliveredSeq, move.readSeq])],
        (moved) => moved.map(toReceipt),
      ),
  }
}

const nothing = () => {}
