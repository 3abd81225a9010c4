import type { Connection } from './connection.ts'
import type { ConversationCache, Member } from './conversation-cache.ts'
import type { Move, Refusal } from './operations.ts'
import type { ReceiptRow } from './rows.ts'
import type { VersionClock } from './version-clock.ts'

/** Moving receipts, joining and leaving, inside the writer's transaction. */
export const openMemberWrites = (db: Connection, conversations: ConversationCache, clock: VersionClock) => {
  const select = db
    .prepare<[unknown[]]>('SELECT from_seq, until_seq FROM member WHERE conversation = ? AND user_id = ?')
    .raw()
  const insert = db.prepare<[unknown[]]>('INSERT INTO member VALUES (?, ?, 0, 0, 0, ?, NULL)')
  const setInterval = db.prepare<[unknown[]]>(
    'UPDATE member SET from_seq = ?, until_seq = ? WHERE conversation = ? AND user_id = ?',
  )
  const keepInterval = db.prepare<[unknown[]]>('INSERT INTO former_interval VALUES (?, ?, ?, ?)')

  const intervalOf = (key: number, userId: string) =>
    select.get([key, userId]) as [fromSeq: number, untilSeq: number | null] | undefined

  return {
    advance(moves: Move[]): ReceiptRow[] {
      const moved = new Map<Member, string>()
      for (const [conversationId, userId, delivered, read] of moves) {
        const tail = conversations.find(conversationId)
        const member = tail && conversations.member(tail, userId)
        if (!member) continue
        const readSeq = Math.max(member.readSeq, Math.min(read, tail.lastSeq))
        const deliveredSeq = Math.max(member.deliveredSeq, Math.min(delivered, tail.lastSeq), readSeq)
        if (readSeq === member.readSeq && deliveredSeq === member.deliveredSeq) continue
        const version = clock.advance()
        Object.assign(member, { deliveredSeq, readSeq, version })
        tail.version = version
        conversations.changed(tail, member)
        moved.set(member, conversationId)
      }
      return Array.from(moved, ([{ userId, deliveredSeq, readSeq, version }, conversationId]) => [
        conversationId,
        userId,
        deliveredSeq,
        readSeq,
        version,
      ])
    },

    addMember(conversationId: string, userId: string, fromSeq: number): null | Refusal {
      const tail = conversations.find(conversationId)
      if (tail?.kind !== 'group') return 'notMember'
      const interval = intervalOf(tail.key, userId)
      if (!interval) insert.run([tail.key, userId, fromSeq])
      else {
        const [from, until] = interval
        if (until === null) return null
        if (until >= from) keepInterval.run([userId, tail.key, from, until])
        setInterval.run([Math.max(fromSeq, until + 1), null, tail.key, userId])
      }
      conversations.forgetMember(tail, userId)
      return null
    },

    removeMember(conversationId: string, userId: string): null {
      const tail = conversations.find(conversationId)
      if (tail?.kind !== 'group') return null
      const interval = intervalOf(tail.key, userId)
      if (!interval || interval[1] !== null) return null
      // What its cache entry still has to write goes first, so that nothing is written for somebody who has left.
      conversations.write()
      setInterval.run([interval[0], tail.lastSeq, tail.key, userId])
      conversations.forgetMember(tail, userId)
      return null
    },
  }
}
