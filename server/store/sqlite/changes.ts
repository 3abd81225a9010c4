import type { Change, MessageStore } from '../../domain/ports.ts'
import type { Reads } from './reads.ts'
import {
  byVersion,
  firstSeq,
  type MessageRow,
  messageColumns,
  type ReceiptRow,
  receiptColumns,
  toMessage,
  toReceipt,
} from './rows.ts'

type Here = 'overlap' | 'version' | 'changes' | 'undelivered' | 'backlog' | 'latestVersions'

/** Versions and what changed after them. Of each conversation only the messages are read that can be on the page. */
export const changeStore = (reads: Reads): Pick<MessageStore, Here> => {
  const version = reads.prepare<number>('SELECT version FROM clock')

  /** `me`, a conversation `c` of hers, and in `first` where its messages after version ?2 begin. */
  const mine = `
    SELECT c.key, c.id, c.last_seq, me.delivered_seq, ${firstSeq('m.version > ?2')} AS first
    FROM member me JOIN conversation c ON c.key = me.conversation
    WHERE me.username = ?1 AND c.last_version > ?2`

  const newMessages = (conversations: string, first: string) => `
    WITH c AS MATERIALIZED (${conversations}),
    page AS MATERIALIZED (
      SELECT c.id, m.version FROM c CROSS JOIN message m ON m.conversation = c.key
      WHERE m.seq BETWEEN ${first} AND ${first} + ?4 - 1 AND m.version <= ?3
      ORDER BY m.version LIMIT ?4)
    SELECT json_group_array(json_array(${messageColumns})) FROM page c CROSS JOIN message m ON m.version = c.version`

  const messages = reads.prepare<MessageRow[]>(
    newMessages(`${mine} AND c.id NOT IN (SELECT value FROM json_each(?5))`, 'c.first'),
  )
  const undelivered = reads.prepare<MessageRow[]>(newMessages(mine, 'max(c.first, c.delivered_seq + 1)'))

  const receipts = reads.prepare<ReceiptRow[]>(`
    SELECT json_group_array(json_array(id, username, delivered_seq, read_seq, version)) FROM (
      SELECT ${receiptColumns}
      FROM member me JOIN conversation c ON c.key = me.conversation JOIN member r ON r.conversation = c.key
      WHERE me.username = ?1 AND c.version > ?2 AND r.version > ?2 AND r.version <= ?3
        AND c.id NOT IN (SELECT value FROM json_each(?5))
      ORDER BY r.version LIMIT ?4)`)

  const backlog = reads.prepare<[string, number][]>(`
    SELECT json_group_array(json_array(id, first - 1)) FROM (${mine}) WHERE last_seq - first + 1 > ?3`)

  const latestVersions = reads.prepare<[string, number][]>(`
    SELECT json_group_array(json_array(username, newest)) FROM (
      SELECT me.username, max(c.version) AS newest
      FROM json_each(?1) asked JOIN member me ON me.username = asked.value JOIN conversation c ON c.key = me.conversation
      WHERE c.version > ?2 GROUP BY me.username)`)

  return {
    overlap: 0,
    version: async () => version(),

    async changes(username, { after, upTo, except }, limit) {
      // The writer may commit between the two reads: no page ends above what the first of them could have seen.
      const range = [username, after, Math.min(upTo, version()), limit, JSON.stringify(except)] as const
      const changes: Change[] = [
        ...messages(...range).map((row): Change => ({ type: 'message', version: row[2], message: toMessage(row) })),
        ...receipts(...range).map((row): Change => ({ type: 'receipt', version: row[4], receipt: toReceipt(row) })),
      ]
      return changes.sort(byVersion).slice(0, limit)
    },

    undelivered: async (username, { after, upTo }, limit) =>
      undelivered(username, after, upTo, limit).map(toMessage).sort(byVersion),
    backlog: async (username, after, moreThan) =>
      backlog(username, after, moreThan).map(([conversationId, afterSeq]) => ({ conversationId, afterSeq })),
    latestVersions: async (usernames, after) => new Map(latestVersions(JSON.stringify(usernames), after)),
  }
}
