import type { Connection } from './connection.ts'
import type { Heads, Member } from './heads.ts'
import type { Appended, AppendOperation, Move, Moved, Refusal } from './operations.ts'
import type { VersionClock } from './version-clock.ts'

/** Adding messages and moving receipts, inside the writer's transaction. */
export const openMessageWrites = (db: Connection, heads: Heads, clock: VersionClock) => {
  const insert = db.prepare<[unknown[]]>(`
    INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (client_message_id, conversation, sender) WHERE client_message_id IS NOT NULL DO NOTHING`)
  const first = db
    .prepare<[unknown[]]>(`
    SELECT seq, version, sent_at, text = ? FROM message
    WHERE client_message_id = ? AND conversation = ? AND sender = ?`)
    .raw()

  return {
    append([, conversationId, kind, members, sender, text, clientMessageId, at]: AppendOperation): Appended | Refusal {
      const head = heads.findOrCreate(conversationId, kind, members)
      const seq = head.lastSeq + 1
      const sentAt = Math.max(at, head.lastSentAt)
      const inserted = insert.run([clock.next(), head.key, seq, sender, sentAt, text, clientMessageId])
      if (inserted.changes === 0) {
        const row = first.get([text, clientMessageId, head.key, sender]) as [number, number, number, 0 | 1]
        return row[3] ? [row[0], row[1], row[2], true] : 'conflict'
      }
      const version = clock.advance()
      head.lastSeq = seq
      head.lastSentAt = sentAt
      head.lastVersion = head.version = version
      heads.changed(head)
      return [seq, version, sentAt, false]
    },

    advance(moves: Move[]): Moved[] {
      const moved = new Map<Member, string>()
      for (const [conversationId, username, delivered, read] of moves) {
        const head = heads.find(conversationId)
        const member = head && heads.member(head, username)
        if (!member) continue
        const readSeq = Math.max(member.readSeq, Math.min(read, head.lastSeq))
        const deliveredSeq = Math.max(member.deliveredSeq, Math.min(delivered, head.lastSeq), readSeq)
        if (readSeq === member.readSeq && deliveredSeq === member.deliveredSeq) continue
        const version = clock.advance()
        Object.assign(member, { deliveredSeq, readSeq, version })
        head.version = version
        heads.changed(head, member)
        moved.set(member, conversationId)
      }
      return Array.from(moved, ([{ username, deliveredSeq, readSeq, version }, conversationId]) => [
        conversationId,
        username,
        deliveredSeq,
        readSeq,
        version,
      ])
    },
  }
}
