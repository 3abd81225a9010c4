import { type ArchiveRows, keyOf, type Section } from '../../domain/archive.ts'
import type { Connection } from './connection.ts'

/** Adds the rows of a section, and with them how far the copy is; what is there already stays. */
export const prepareArchiveWrites = (db: Connection) => {
  const insert = (sql: string) => db.prepare<[unknown[]]>(`INSERT OR IGNORE INTO ${sql}`)
  const user = insert('user VALUES (?, ?, ?, ?, ?, ?)')
  const session = insert('session VALUES (?, ?, ?, ?)')
  const endedSession = insert('ended_session VALUES (?, ?, ?)')
  const knownNetwork = insert('known_network VALUES (?, ?, ?)')
  const conversation = insert('conversation VALUES (NULL, ?, ?, ?, ?, ?, ?)')
  const member = insert('member SELECT key, ?, ?, ?, ?, ?, ? FROM conversation WHERE id = ?')
  const formerInterval = insert('former_interval SELECT ?, key, ?, ? FROM conversation WHERE id = ?')
  const message = insert(`
    message (sent_version, conversation, seq, sender, sent_at, text, client_message_id,
      revision, edited_at, deleted_at, changed_version, sender_ordinal, in_group)
    SELECT ?, key, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, kind = 'group' FROM conversation WHERE id = ?`)
  const text = insert('former_text SELECT key, ?, ?, ?, ? FROM conversation WHERE id = ?')
  const moveOn = db.prepare<[unknown[]]>('UPDATE copy SET section = ?, id = ?, seq = ?')

  const add: { [S in Section]: (row: ArchiveRows[S]) => void } = {
    users: ({ userId, displayName, passwordHash, createdAt, lastSeenAt, version }) =>
      user.run([userId, displayName, passwordHash, createdAt.getTime(), lastSeenAt?.getTime() ?? null, version]),
    sessions: ({ tokenHash, userId, createdAt, expiresAt }) =>
      session.run([tokenHash, userId, createdAt.getTime(), expiresAt.getTime()]),
    endedSessions: ({ tokenHash, version, expiresAt }) => endedSession.run([version, tokenHash, expiresAt.getTime()]),
    knownNetworks: ({ userId, networkHash, seenAt }) => knownNetwork.run([userId, networkHash, seenAt.getTime()]),
    conversations({ id, kind, members, last }) {
      const version = Math.max(last.version, ...members.map((member) => member.version))
      conversation.run([id, kind, last.seq, last.sentAt.getTime(), last.version, version])
      for (const { userId, deliveredSeq, readSeq, version, fromSeq, untilSeq, former } of members) {
        member.run([userId, deliveredSeq, readSeq, version, fromSeq, untilSeq, id])
        for (const { fromSeq, untilSeq } of former) formerInterval.run([userId, fromSeq, untilSeq, id])
      }
    },
    messages: ({ conversationId, version, sentVersion, sentAt, editedAt, deletedAt, ...of }) =>
      message.run([
        sentVersion,
        of.seq,
        of.sender,
        sentAt.getTime(),
        of.text,
        of.clientMessageId,
        of.revision,
        editedAt?.getTime() ?? null,
        deletedAt?.getTime() ?? null,
        version > sentVersion ? version : null,
        of.senderOrdinal,
        conversationId,
      ]),
    texts: ({ conversationId, seq, revision, text: former, since }) =>
      text.run([seq, revision, former, since.getTime(), conversationId]),
  }

  return <S extends Section>(section: S, rows: ArchiveRows[S][]): void => {
    db.exec('BEGIN IMMEDIATE')
    try {
      for (const row of rows) add[section](row)
      const last = rows.at(-1)
      if (last) moveOn.run([section, ...keyOf(section, last)])
      db.exec('COMMIT')
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
}
