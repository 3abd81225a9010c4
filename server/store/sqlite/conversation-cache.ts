import { type Connection, prepareValue } from './connection.ts'

/** Where a conversation stands: what the next write to it needs to know. */
export interface Tail {
  key: number
  kind: 'direct' | 'group'
  lastSeq: number
  lastSentAt: number
  /** At which the last message was sent. */
  lastVersion: number
  /** Of the newest change of any kind. */
  version: number
  /** How many messages these senders have sent, as far as it was asked for. */
  sent: Map<string, number>
  /** Those whose receipts were asked for; null: no member. */
  members: Map<string, Member | null>
}
export interface Member {
  userId: string
  deliveredSeq: number
  readSeq: number
  version: number
}

const entriesMax = 50_000

/**
 * The tails of the conversations in use, in the memory of the one writer. Changes are made here, and written once for
 * each row at the end of the transaction, however often it changed.
 */
export const openConversationCache = (db: Connection) => {
  const select = db
    .prepare<[unknown[]]>(
      'SELECT key, kind, last_seq, last_sent_at, last_version, version FROM conversation WHERE id = ?',
    )
    .raw()
  const insert = db.prepare<[unknown[]]>('INSERT INTO conversation VALUES (NULL, ?, ?, 0, 0, 0, 0)')
  // A profile that changes moves the versions of conversations past this cache.
  const update = db.prepare<[unknown[]]>(
    'UPDATE conversation SET last_seq = ?, last_sent_at = ?, last_version = ?, version = max(version, ?) WHERE key = ?',
  )
  const selectMember = db
    .prepare<[unknown[]]>(
      'SELECT delivered_seq, read_seq, version FROM member WHERE conversation = ? AND user_id = ? AND until_seq IS NULL',
    )
    .raw()
  const insertMember = db.prepare<[unknown[]]>(
    'INSERT OR IGNORE INTO member (conversation, user_id, delivered_seq, read_seq, version) VALUES (?, ?, 0, 0, 0)',
  )
  const updateMember = db.prepare<[unknown[]]>(
    'UPDATE member SET delivered_seq = ?, read_seq = ?, version = ? WHERE conversation = ? AND user_id = ?',
  )
  const sentInGroup = prepareValue(
    db,
    `SELECT sender_ordinal FROM message WHERE conversation = ? AND sender = ? AND in_group = 1 ORDER BY seq DESC LIMIT 1`,
  )
  /** In a conversation of two the last message tells it of both. */
  const sentInDirect = prepareValue(
    db,
    'SELECT iif(sender = ?, sender_ordinal, seq - sender_ordinal) FROM message WHERE conversation = ? AND seq = ?',
  )

  const tails = new Map<string, Tail>()
  let entries = 0
  const changedTails = new Set<Tail>()
  const changedMembers = new Map<Member, Tail>()

  const find = (id: string): Tail | null => {
    const known = tails.get(id)
    if (known) return known
    const row = select.get([id]) as [number, Tail['kind'], number, number, number, number] | undefined
    if (!row) return null
    const [key, kind, lastSeq, lastSentAt, lastVersion, version] = row
    const tail: Tail = { key, kind, lastSeq, lastSentAt, lastVersion, version, sent: new Map(), members: new Map() }
    tails.set(id, tail)
    entries++
    return tail
  }

  return {
    find,

    findOrCreate(id: string, kind: 'direct' | 'group', members: string[]): Tail {
      const known = find(id)
      if (known) return known
      insert.run([id, kind])
      const tail = find(id)!
      for (const userId of members) insertMember.run([tail.key, userId])
      return tail
    },

    member(tail: Tail, userId: string): Member | null {
      const known = tail.members.get(userId)
      if (known !== undefined) return known
      const row = selectMember.get([tail.key, userId]) as [number, number, number] | undefined
      const member = row ? { userId, deliveredSeq: row[0], readSeq: row[1], version: row[2] } : null
      tail.members.set(userId, member)
      entries++
      return member
    },

    /** Who is a member has changed in the database. */
    forgetMember(tail: Tail, userId: string): void {
      if (tail.members.delete(userId)) entries--
    },

    /** How many messages this sender has sent in the conversation. */
    sentBy(tail: Tail, sender: string): number {
      const known = tail.sent.get(sender)
      if (known !== undefined) return known
      const { key, kind, lastSeq } = tail
      const sent = kind === 'group' ? sentInGroup([key, sender]) : sentInDirect([sender, key, lastSeq])
      return (sent ?? 0) as number
    },

    setSentBy(tail: Tail, sender: string, sent: number): void {
      if (!tail.sent.has(sender)) entries++
      tail.sent.set(sender, sent)
    },

    changed(tail: Tail, member?: Member): void {
      changedTails.add(tail)
      if (member) changedMembers.set(member, tail)
    },

    /** Writes what changed, as part of the transaction. */
    write(): void {
      for (const tail of changedTails)
        update.run([tail.lastSeq, tail.lastSentAt, tail.lastVersion, tail.version, tail.key])
      for (const [member, tail] of changedMembers)
        updateMember.run([member.deliveredSeq, member.readSeq, member.version, tail.key, member.userId])
      changedTails.clear()
      changedMembers.clear()
    },

    /** Between transactions: forgets the oldest, so that memory stays bounded. */
    trim(): void {
      for (const [id, tail] of tails) {
        if (entries <= entriesMax) return
        tails.delete(id)
        entries -= 1 + tail.members.size + tail.sent.size
      }
    },

    /** After a transaction that came to nothing: what is in memory never was. */
    forget(): void {
      tails.clear()
      changedTails.clear()
      changedMembers.clear()
      entries = 0
    },
  }
}

export type ConversationCache = ReturnType<typeof openConversationCache>
