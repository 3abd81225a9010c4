import { limits } from '../../contract/limits.ts'
import { type Connection, prepareValue } from './connection.ts'
import type { ConversationCache, Tail } from './conversation-cache.ts'
import type { Appended, AppendOperation, Changed, DeleteOperation, EditOperation, Refusal } from './operations.ts'
import { type MessageRow, messageColumns } from './rows.ts'
import type { VersionClock } from './version-clock.ts'

/** Adding, editing and deleting messages, inside the writer's transaction. */
export const openMessageWrites = (db: Connection, conversations: ConversationCache, clock: VersionClock) => {
  const insert = db.prepare<[unknown[]]>(`
    INSERT INTO message (sent_version, conversation, seq, sender, sent_at, text, client_message_id, sender_ordinal, in_group)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (client_message_id, conversation, sender) WHERE client_message_id IS NOT NULL DO NOTHING`)
  const texts = openTextWrites(db)
  const bySeq = openMessageReads(db, 'c.key = ? AND m.seq = ?')
  const byClientId = openMessageReads(db, 'm.client_message_id = ? AND c.key = ? AND m.sender = ?')

  /** The message that has this id already, if it is the same as it was sent first; of a deleted one nobody can tell. */
  const repeatOf = (tail: Tail, clientMessageId: string | null, sender: string, text: string): Appended | Refusal => {
    const message = byClientId(clientMessageId, tail.key, sender)!
    const { seq, revision, deletedAt } = stateOf(message)
    const isSame = deletedAt !== null || texts.had(tail.key, seq, 1, revision, text)
    return isSame ? { repeated: message } : 'conflict'
  }

  const changed = (tail: Tail, seq: number, version: number): Changed => {
    tail.version = version
    conversations.changed(tail)
    return { message: bySeq(tail.key, seq)!, repeated: false }
  }

  return {
    append([, conversationId, kind, members, sender, text, clientMessageId, at]: AppendOperation): Appended | Refusal {
      const tail = conversations.findOrCreate(conversationId, kind, members)
      const seq = tail.lastSeq + 1
      const sentAt = Math.max(at, tail.lastSentAt)
      const ordinal = conversations.sentBy(tail, sender) + 1
      const inGroup = tail.kind === 'group' ? 1 : 0
      const version = clock.current() + 1
      const row = [version, tail.key, seq, sender, sentAt, text, clientMessageId, ordinal, inGroup]
      if (insert.run(row).changes === 0) return repeatOf(tail, clientMessageId, sender, text)
      clock.advance()
      tail.lastSeq = seq
      tail.lastSentAt = sentAt
      tail.lastVersion = tail.version = version
      conversations.setSentBy(tail, sender, ordinal)
      conversations.changed(tail)
      return [seq, version, sentAt]
    },

    edit([, conversationId, seq, wanted, text, at]: EditOperation): Changed | Refusal {
      const tail = conversations.find(conversationId)
      const message = tail && bySeq(tail.key, seq)
      if (!message) return 'unknownMessage'
      const { revision, latestAt, deletedAt } = stateOf(message)
      if (deletedAt !== null) return 'messageDeleted'
      if (wanted < revision && texts.had(tail.key, seq, wanted + 1, revision, text)) return { message, repeated: true }
      if (wanted !== revision) return 'conflict'
      const version = clock.advance()
      texts.replace(tail.key, seq, revision + 1, text, Math.max(at, latestAt), version)
      return changed(tail, seq, version)
    },

    delete([, conversationId, seq, at]: DeleteOperation): Changed | Refusal {
      const tail = conversations.find(conversationId)
      const message = tail && bySeq(tail.key, seq)
      if (!message) return 'unknownMessage'
      if (stateOf(message).deletedAt !== null) return { message, repeated: true }
      const version = clock.advance()
      texts.erase(tail.key, seq, at, version)
      return changed(tail, seq, version)
    },
  }
}

const stateOf = ([, seq, , , , revision, sentAt, editedAt, deletedAt]: MessageRow) => ({
  seq,
  revision,
  latestAt: editedAt ?? sentAt,
  deletedAt,
})

/** As JSON, since this driver cuts plain text at NUL. */
const openMessageReads = (db: Connection, where: string) => {
  const read = prepareValue(
    db,
    `SELECT json_array(${messageColumns}) FROM conversation c JOIN message m ON m.conversation = c.key WHERE ${where}`,
  )
  return (...parameters: unknown[]): MessageRow | null => {
    const json = read(parameters)
    return json === undefined ? null : JSON.parse(json as string)
  }
}

/** The texts of messages: the present one stands in its row, the former ones in a table of their own. */
const openTextWrites = (db: Connection) => {
  const prepare = (sql: string) => db.prepare<[unknown[]]>(sql)
  const keep = prepare(`
    INSERT INTO former_text SELECT conversation, seq, revision, text, coalesce(edited_at, sent_at)
    FROM message WHERE conversation = ? AND seq = ?`)
  // The first text stays in any case: by it a repeated send is known.
  const forget = prepare(
    'DELETE FROM former_text WHERE conversation = ? AND seq = ? AND revision > 1 AND revision <= ?',
  )
  const forgetAll = prepare('DELETE FROM former_text WHERE conversation = ? AND seq = ?')
  const set = prepare(
    'UPDATE message SET text = ?, revision = ?, edited_at = ?, changed_version = ? WHERE conversation = ? AND seq = ?',
  )
  const setDeleted = prepare(
    `UPDATE message SET text = '', deleted_at = ?, changed_version = ? WHERE conversation = ? AND seq = ?`,
  )
  const isPresent = prepareValue(db, 'SELECT text = ? FROM message WHERE conversation = ? AND seq = ?')
  const isFormer = prepareValue(
    db,
    'SELECT text = ? FROM former_text WHERE conversation = ? AND seq = ? AND revision = ?',
  )

  return {
    /** Whether this revision had this text. @param present the revision that the message has now */
    had(conversation: number, seq: number, revision: number, present: number, text: string): boolean {
      const is =
        revision === present ? isPresent([text, conversation, seq]) : isFormer([text, conversation, seq, revision])
      return is === 1
    },
    replace(conversation: number, seq: number, revision: number, text: string, at: number, version: number): void {
      keep.run([conversation, seq])
      forget.run([conversation, seq, revision - limits.formerTextsMax])
      set.run([text, revision, at, version, conversation, seq])
    },
    erase(conversation: number, seq: number, at: number, version: number): void {
      forgetAll.run([conversation, seq])
      setDeleted.run([at, version, conversation, seq])
    },
  }
}
