import type { AccountStore, StoredSession, StoredUser } from '../../domain/ports.ts'
import type { Commits } from './commits.ts'
import type { Reads } from './reads.ts'
import { type ProfileRow, profileColumns, toProfile } from './rows.ts'

type UserRow = [...ProfileRow, passwordHash: string, createdAt: number]
type SessionRow = [tokenHash: string, userId: string, createdAt: number, expiresAt: number]

export const accountStore = ({ write }: Commits, reads: Reads): AccountStore => {
  const user = reads.prepare<UserRow[]>(`
    SELECT json_group_array(json_array(${profileColumns}, u.password_hash, u.created_at)) FROM user u WHERE user_id = ?`)
  const profiles = reads.prepare<ProfileRow[]>(`
    SELECT json_group_array(json_array(${profileColumns})) FROM user u WHERE user_id IN (SELECT value FROM json_each(?))`)
  const session = reads.prepare<SessionRow[]>(`
    SELECT json_group_array(json_array(token_hash, user_id, created_at, expires_at)) FROM session WHERE token_hash = ?`)
  const lastSeen = reads.prepare<[string, number][]>(`
    SELECT json_group_array(json_array(user_id, last_seen_at)) FROM user
    WHERE user_id IN (SELECT value FROM json_each(?)) AND last_seen_at IS NOT NULL`)

  return {
    createUser: (user) => write(['createUser', user], (version) => ({ ...user, version })),
    async user(userId) {
      const [row] = await user(userId)
      return row ? toUser(row) : null
    },
    profiles: async (userIds) => (await profiles(JSON.stringify(userIds))).map(toProfile),
    updateProfile: (userId, { displayName }) => write(['updateProfile', userId, displayName], toProfile),
    createSession: (session) => write(['createSession', session], nothing),
    async session(tokenHash) {
      const [row] = await session(tokenHash)
      return row ? toSession(row) : null
    },
    extendSession: (tokenHash, expiresAt) => write(['extendSession', tokenHash, expiresAt.getTime()], nothing),
    deleteSession: (tokenHash) => write(['deleteSession', tokenHash], (deleted) => deleted),
    deleteExpiredSessions: (before) => write(['deleteExpiredSessions', before.getTime()], (count) => count),
    setLastSeen: (lastSeen) => write(['setLastSeen', lastSeen], nothing),
    lastSeen: async (userIds) =>
      new Map((await lastSeen(JSON.stringify(userIds))).map(([userId, at]) => [userId, new Date(at)])),
  }
}

const toUser = ([userId, displayName, version, passwordHash, createdAt]: UserRow): StoredUser => ({
  ...toProfile([userId, displayName, version]),
  passwordHash,
  createdAt: new Date(createdAt),
})

const nothing = () => {}

const toSession = ([tokenHash, userId, createdAt, expiresAt]: SessionRow): StoredSession => ({
  tokenHash,
  userId,
  createdAt: new Date(createdAt),
  expiresAt: new Date(expiresAt),
})
