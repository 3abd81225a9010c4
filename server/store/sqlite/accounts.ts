import type { AccountStore, StoredSession, StoredUser } from '../../domain/ports.ts'
import type { Commits } from './commits.ts'
import type { Reads } from './reads.ts'

type UserRow = [username: string, displayName: string, passwordHash: string, createdAt: number]
type SessionRow = [tokenHash: string, username: string, createdAt: number, expiresAt: number]

export const accountStore = ({ write }: Commits, reads: Reads): AccountStore => {
  const user = reads.prepare<UserRow[]>(`
    SELECT json_group_array(json_array(username, display_name, password_hash, created_at)) FROM user WHERE username = ?`)
  const session = reads.prepare<SessionRow[]>(`
    SELECT json_group_array(json_array(token_hash, username, created_at, expires_at)) FROM session WHERE token_hash = ?`)
  const lastSeen = reads.prepare<[string, number][]>(`
    SELECT json_group_array(json_array(username, last_seen_at)) FROM user
    WHERE username IN (SELECT value FROM json_each(?)) AND last_seen_at IS NOT NULL`)

  return {
    async createUser(user) {
      await write(['createUser', user])
    },
    async user(username) {
      const [row] = user(username)
      return row ? toUser(row) : null
    },
    async createSession(session) {
      await write(['createSession', session])
    },
    async session(tokenHash) {
      const [row] = session(tokenHash)
      return row ? toSession(row) : null
    },
    async extendSession(tokenHash, expiresAt) {
      await write(['extendSession', tokenHash, expiresAt.getTime()])
    },
    deleteSession: async (tokenHash) => write(['deleteSession', tokenHash]),
    deleteExpiredSessions: async (before) => write(['deleteExpiredSessions', before.getTime()]),
    async setLastSeen(lastSeen) {
      await write(['setLastSeen', lastSeen])
    },
    lastSeen: async (usernames) =>
      new Map(lastSeen(JSON.stringify(usernames)).map(([username, at]) => [username, new Date(at)])),
  }
}

const toUser = ([username, displayName, passwordHash, createdAt]: UserRow): StoredUser => ({
  username,
  displayName,
  passwordHash,
  createdAt: new Date(createdAt),
})

const toSession = ([tokenHash, username, createdAt, expiresAt]: SessionRow): StoredSession => ({
  tokenHash,
  username,
  createdAt: new Date(createdAt),
  expiresAt: new Date(expiresAt),
})
