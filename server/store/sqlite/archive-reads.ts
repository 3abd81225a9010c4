import { type Archive, type ArchiveRows, type Key, keyOf, type Section } from '../../domain/archive.ts'
import { type Connection, prepareJson } from './connection.ts'
import { type MessageRow, messageColumns, type ProfileRow, profileColumns, toMessage, toProfile } from './rows.ts'

type Read = { [S in Section]: (after: Key, limit: number) => ArchiveRows[S][] }

type FormerRow = [fromSeq: number, untilSeq: number]
type MemberRow = [
  userId: string,
  deliveredSeq: number,
  readSeq: number,
  version: number,
  fromSeq: number,
  untilSeq: number | null,
  former: FormerRow[],
]

const prepareReads = (db: Connection): Read => {
  const users = prepareJson<[...ProfileRow, string, number, number | null][]>(
    db,
    `SELECT json_group_array(json_array(${profileColumns}, u.password_hash, u.created_at, u.last_seen_at)) FROM (
      SELECT * FROM user WHERE user_id > ? ORDER BY user_id LIMIT ?) u`,
  )
  const sessions = prepareJson<[string, string, number, number][]>(
    db,
    `SELECT json_group_array(json_array(token_hash, user_id, created_at, expires_at)) FROM (
      SELECT * FROM session WHERE token_hash > ? ORDER BY token_hash LIMIT ?)`,
  )
  const endedSessions = prepareJson<[string, number, number][]>(
    db,
    `SELECT json_group_array(json_array(token_hash, version, expires_at)) FROM (
      SELECT * FROM ended_session WHERE token_hash > ? ORDER BY token_hash LIMIT ?)`,
  )
  const knownNetworks = prepareJson<[string, string, number][]>(
    db,
    `SELECT json_group_array(json_array(user_id, network_hash, seen_at)) FROM (
      SELECT * FROM known_network WHERE (user_id, network_hash) > (?, ?) ORDER BY user_id, network_hash LIMIT ?)`,
  )
  const conversations = prepareJson<[string, 'direct' | 'group', number, number, number, MemberRow[]][]>(
    db,
    `SELECT json_group_array(json_array(id, kind, last_seq, last_version, last_sent_at, (
      SELECT json_group_array(json_array(user_id, delivered_seq, read_seq, version, from_seq, until_seq, (
        SELECT json_group_array(json_array(f.from_seq, f.until_seq)) FROM former_interval f
        WHERE f.user_id = m.user_id AND f.conversation = key)))
      FROM member m WHERE conversation = key)))
    FROM (SELECT * FROM conversation WHERE id > ? ORDER BY id LIMIT ?)`,
  )
  const messages = (where: string) =>
    prepareJson<[MessageRow, sentVersion: number, senderOrdinal: number][]>(
      db,
      `SELECT json_group_array(json_array(json_array(${messageColumns}), m.sent_version, m.sender_ordinal)) FROM (
        SELECT c.id, m.sent_version FROM conversation c CROSS JOIN message m ON m.conversation = c.key
        WHERE ${where} ORDER BY c.id, m.seq LIMIT ?) c CROSS JOIN message m ON m.sent_version = c.sent_version`,
    )
  const inSame = messages('c.id = ? AND m.seq > ?')
  const inLater = messages('c.id > ?')
  const texts = prepareJson<[string, number, number, string, number][]>(
    db,
    `SELECT json_group_array(json_array(id, seq, revision, text, since)) FROM (
      SELECT c.id, f.* FROM former_text f JOIN conversation c ON c.key = f.conversation
      WHERE (c.id || ':' || f.seq, f.revision) > (?, ?) ORDER BY c.id || ':' || f.seq, f.revision LIMIT ?)`,
  )

  return {
    users: ([id], limit) =>
      users(id, limit).map(([userId, displayName, version, passwordHash, createdAt, lastSeenAt]) => ({
        ...toProfile([userId, displayName, version]),
        passwordHash,
        createdAt: new Date(createdAt),
        lastSeenAt: lastSeenAt === null ? null : new Date(lastSeenAt),
      })),
    sessions: ([id], limit) =>
      sessions(id, limit).map(([tokenHash, userId, createdAt, expiresAt]) => ({
        tokenHash,
        userId,
        createdAt: new Date(createdAt),
        expiresAt: new Date(expiresAt),
      })),
    endedSessions: ([id], limit) =>
      endedSessions(id, limit).map(([tokenHash, version, expiresAt]) => ({
        tokenHash,
        version,
        expiresAt: new Date(expiresAt),
      })),
    knownNetworks([id], limit) {
      const [afterUser = '', afterHash = ''] = id.split(' ')
      return knownNetworks(afterUser, afterHash, limit).map(([userId, networkHash, seenAt]) => ({
        userId,
        networkHash,
        seenAt: new Date(seenAt),
      }))
    },
    conversations: ([after], limit) =>
      conversations(after, limit).map(([id, kind, seq, version, sentAt, members]) => ({
        id,
        kind,
        members: members.map(toMember).sort((a, b) => (a.userId < b.userId ? -1 : 1)),
        last: { seq, version, sentAt: new Date(sentAt) },
      })),
    messages([id, seq], limit) {
      const rows = inSame(id, seq, limit)
      if (rows.length < limit) rows.push(...inLater(id, limit - rows.length))
      return rows.map(([row, sentVersion, senderOrdinal]) => {
        const { id: _, ...message } = toMessage(row)
        return { ...message, sentVersion, senderOrdinal }
      })
    },
    texts: ([id, revision], limit) =>
      texts(id, revision, limit).map(([conversationId, seq, revision, text, since]) => ({
        conversationId,
        seq,
        revision,
        text,
        since: new Date(since),
      })),
  }
}

const toMember = ([userId, deliveredSeq, readSeq, version, fromSeq, untilSeq, former]: MemberRow) => ({
  userId,
  deliveredSeq,
  readSeq,
  version,
  fromSeq,
  untilSeq,
  former: former.map(([fromSeq, untilSeq]) => ({ fromSeq, untilSeq })).sort((a, b) => a.fromSeq - b.fromSeq),
})

const tables: Record<Section, string> = {
  users: 'user',
  sessions: 'session',
  endedSessions: 'ended_session',
  knownNetworks: 'known_network',
  conversations: 'conversation',
  messages: 'message',
  texts: 'former_text',
}

export const archiveReads = (db: Connection): Pick<Archive, 'read' | 'count'> => {
  const read = prepareReads(db)
  const before = (a: Key, b: Key) => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])
  return {
    async read(section, after, limit) {
      const rows = read[section](after, limit)
      // SQLite promises no order inside a JSON array.
      return rows.sort((a, b) => (before(keyOf(section, a), keyOf(section, b)) ? -1 : 1))
    },
    count: async (section) => prepareJson<number>(db, `SELECT count(*) FROM ${tables[section]}`)(),
  }
}
