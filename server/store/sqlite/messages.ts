import type { MessageStore } from '../../domain/ports.ts'
import type { Commits } from './commits.ts'
import type { Changed } from './operations.ts'
import type { Reads } from './reads.ts'
import { bySeq, firstSeq, type MessageRow, messageColumns, toMessage } from './rows.ts'

type Here = 'append' | 'edit' | 'delete' | 'onLate' | 'messages' | 'messagesAt' | 'textVersions' | 'seqAt'

/** A byte of a text, where it is a control character. */
const longestAsJson = 6

const everything = { around: 0, textBytes: Number.MAX_SAFE_INTEGER }

/** Messages and their texts. */
export const messageStore = ({ write }: Commits, reads: Reads): Pick<MessageStore, Here> => {
  const messages = `json_group_array(json_array(${messageColumns}))`
  const asJson = 'octet_length(json_quote(m.text))'
  const page = (order: 'ASC' | 'DESC') =>
    reads.prepare<MessageRow[]>(`
      WITH found AS MATERIALIZED (
        SELECT c.id, m.sent_version, abs(m.seq - ?5) AS distance, octet_length(m.text) AS bytes
        FROM conversation c JOIN message m ON m.conversation = c.key
        WHERE c.id = ?1 AND m.seq BETWEEN ?2 AND ?3 ORDER BY m.seq ${order} LIMIT ?4),
      -- How long a text is costs nothing to know, as JSON it does: it is asked of those alone that can be wanted, and only
      -- where not all of them are, whatever they hold.
      near AS (
        SELECT *, sum(bytes) OVER (ORDER BY distance ROWS UNBOUNDED PRECEDING) - bytes AS nearer FROM found),
      wanted AS (
        SELECT near.id, near.sent_version, sum(${asJson}) OVER (ORDER BY distance ROWS UNBOUNDED PRECEDING) - ${asJson} AS nearer
        FROM near CROSS JOIN message m ON m.sent_version = near.sent_version WHERE nearer <= ?6)
      SELECT iif((SELECT ${longestAsJson} * sum(bytes) FROM found) <= ?6,
        (SELECT ${messages} FROM found c CROSS JOIN message m ON m.sent_version = c.sent_version),
        (SELECT ${messages} FROM wanted c CROSS JOIN message m ON m.sent_version = c.sent_version WHERE c.nearer <= ?6))`)
  const oldest = page('ASC')
  const newest = page('DESC')

  const messagesAt = reads.prepare<MessageRow[]>(`
    SELECT json_group_array(json_array(${messageColumns}))
    FROM json_each(?) place
    JOIN conversation c ON c.id = place.value ->> 0
    JOIN message m ON m.conversation = c.key AND m.seq = place.value ->> 1`)

  const textVersions = reads.prepare<[revision: number, text: string, since: number][]>(`
    WITH this AS (
      SELECT m.* FROM conversation c JOIN message m ON m.conversation = c.key
      WHERE c.id = ? AND m.seq = ? AND m.deleted_at IS NULL)
    SELECT json_group_array(json_array(revision, text, since)) FROM (
      SELECT f.revision, f.text, f.since FROM this m JOIN former_text f ON f.conversation = m.conversation AND f.seq = m.seq
      UNION ALL SELECT revision, text, coalesce(edited_at, sent_at) FROM this)`)

  const seqAt = reads.prepare<number[]>(`
    SELECT json_group_array(${firstSeq('c.key', '1', 'c.last_seq', 'm.sent_at >= ?2')})
    FROM conversation c WHERE c.id = ?1`)

  return {
    append: ({ conversationId, kind, members, sender, text, clientMessageId, sentAt: at }) =>
      write(['append', conversationId, kind, members, sender, text, clientMessageId, at.getTime()], (appended) => {
        if ('repeated' in appended) return { message: toMessage(appended.repeated), repeated: true }
        const [seq, version, sentAt] = appended
        const row: MessageRow = [conversationId, seq, version, sender, text, 1, sentAt, null, null, clientMessageId]
        return { message: toMessage(row), repeated: false }
      }),

    edit: ({ conversationId, seq, revision, text, editedAt }) =>
      write(['edit', conversationId, seq, revision, text, editedAt.getTime()], toChanged),

    delete: ({ conversationId, seq, deletedAt }) =>
      write(['delete', conversationId, seq, deletedAt.getTime()], toChanged),

    // Whoever waits for a commit is told when it has ended, never before.
    onLate() {},

    messages: async ({ conversationId, from, to, limit, newest: isNewest, wanted = everything }) => {
      const { around, textBytes } = wanted
      const rows = await (isNewest ? newest : oldest)(conversationId, from, to, limit, around, textBytes)
      return rows.sort(bySeq).map(toMessage)
    },

    async messagesAt(places) {
      const wanted = new Map(
        places.map(({ conversationId, seq }) => [`${conversationId}:${seq}`, [conversationId, seq]]),
      )
      return (await messagesAt(JSON.stringify([...wanted.values()]))).map(toMessage)
    },

    async textVersions({ conversationId, seq }) {
      const rows = await textVersions(conversationId, seq)
      return rows
        .sort(([a], [b]) => a - b)
        .map(([revision, text, since]) => ({ revision, text, since: new Date(since) }))
    },

    seqAt: async (conversationId, time) => (await seqAt(conversationId, time.getTime()))[0] ?? 1,
  }
}

const toChanged = ({ message, repeated }: Changed) => ({ message: toMessage(message), repeated })
