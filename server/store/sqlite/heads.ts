import type { Connection } from './connection.ts'

/** Where a conversation stands: what the next message needs to know. */
export interface Head {
  key: number
  lastSeq: number
  lastSentAt: number
  lastVersion: number
  version: number
  /** Those whose receipts were asked for; null: no member. */
  members: Map<string, Member | null>
}
export interface Member {
  username: string
  deliveredSeq: number
  readSeq: number
  version: number
}

const entriesMax = 50_000

/**
 * The heads of the conversations in use, in the memory of the one writer. Changes are made here, and written once for
 * each row at the end of the transaction, however often it changed.
 */
export const openHeads = (db: Connection) => {
  const select = db
    .prepare<[unknown[]]>('SELECT key, last_seq, last_sent_at, last_version, version FROM conversation WHERE id = ?')
    .raw()
  const insert = db.prepare<[unknown[]]>('INSERT INTO conversation VALUES (NULL, ?, ?, 0, 0, 0, 0)')
  const update = db.prepare<[unknown[]]>(
    'UPDATE conversation SET last_seq = ?, last_sent_at = ?, last_version = ?, version = ? WHERE key = ?',
  )
  const selectMember = db
    .prepare<[unknown[]]>('SELECT delivered_seq, read_seq, version FROM member WHERE conversation = ? AND username = ?')
    .raw()
  const insertMember = db.prepare<[unknown[]]>('INSERT OR IGNORE INTO member VALUES (?, ?, 0, 0, 0)')
  const updateMember = db.prepare<[unknown[]]>(
    'UPDATE member SET delivered_seq = ?, read_seq = ?, version = ? WHERE conversation = ? AND username = ?',
  )

  const heads = new Map<string, Head>()
  let entries = 0
  const changedHeads = new Set<Head>()
  const changedMembers = new Map<Member, Head>()

  const find = (id: string): Head | null => {
    const known = heads.get(id)
    if (known) return known
    const row = select.get([id]) as [number, number, number, number, number] | undefined
    if (!row) return null
    const [key, lastSeq, lastSentAt, lastVersion, version] = row
    const head: Head = { key, lastSeq, lastSentAt, lastVersion, version, members: new Map() }
    heads.set(id, head)
    entries++
    return head
  }

  return {
    find,

    findOrCreate(id: string, kind: 'direct' | 'group', members: string[]): Head {
      const known = find(id)
      if (known) return known
      insert.run([id, kind])
      const head = find(id)!
      for (const username of members) insertMember.run([head.key, username])
      return head
    },

    member(head: Head, username: string): Member | null {
      const known = head.members.get(username)
      if (known !== undefined) return known
      const row = selectMember.get([head.key, username]) as [number, number, number] | undefined
      const member = row ? { username, deliveredSeq: row[0], readSeq: row[1], version: row[2] } : null
      head.members.set(username, member)
      entries++
      return member
    },

    changed(head: Head, member?: Member): void {
      changedHeads.add(head)
      if (member) changedMembers.set(member, head)
    },

    /** Writes what changed, as part of the transaction. */
    write(): void {
      for (const head of changedHeads)
        update.run([head.lastSeq, head.lastSentAt, head.lastVersion, head.version, head.key])
      for (const [member, head] of changedMembers)
        updateMember.run([member.deliveredSeq, member.readSeq, member.version, head.key, member.username])
      changedHeads.clear()
      changedMembers.clear()
    },

    /** Between transactions: forgets the oldest, so that memory stays bounded. */
    trim(): void {
      for (const [id, head] of heads) {
        if (entries <= entriesMax) return
        heads.delete(id)
        entries -= 1 + head.members.size
      }
    },

    /** After a transaction that came to nothing: what is in memory never was. */
    forget(): void {
      heads.clear()
      changedHeads.clear()
      changedMembers.clear()
      entries = 0
    },
  }
}

export type Heads = ReturnType<typeof openHeads>
