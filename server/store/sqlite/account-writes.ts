import type { StoredSession, StoredUser } from '../../domain/ports.ts'
import type { Connection } from './connection.ts'
import type { Refusal } from './operations.ts'

/** Accounts and sessions, inside the writer's transaction. */
export const openAccountWrites = (db: Connection) => {
  const insertUser = db.prepare<[unknown[]]>('INSERT INTO user VALUES (?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING')
  const insertSession = db.prepare<[unknown[]]>(
    'INSERT INTO session SELECT ?, username, ?, ? FROM user WHERE username = ?',
  )
  const extendSession = db.prepare<[unknown[]]>('UPDATE session SET expires_at = ? WHERE token_hash = ?')
  const deleteSession = db.prepare<[unknown[]]>('DELETE FROM session WHERE token_hash = ?')
  const deleteExpired = db.prepare<[unknown[]]>('DELETE FROM session WHERE expires_at < ?')
  const setLastSeen = db.prepare<[unknown[]]>('UPDATE user SET last_seen_at = ? WHERE username = ?')

  return {
    createUser({ username, displayName, passwordHash, createdAt }: StoredUser): null | Refusal {
      return insertUser.run([username, displayName, passwordHash, createdAt.getTime()]).changes ? null : 'usernameTaken'
    },
    createSession({ tokenHash, username, createdAt, expiresAt }: StoredSession): null | Refusal {
      const inserted = insertSession.run([tokenHash, createdAt.getTime(), expiresAt.getTime(), username])
      return inserted.changes ? null : 'unknownUser'
    },
    extendSession(tokenHash: string, expiresAt: number): null {
      extendSession.run([expiresAt, tokenHash])
      return null
    },
    deleteSession(tokenHash: string): boolean {
      return deleteSession.run([tokenHash]).changes > 0
    },
    deleteExpiredSessions(before: number): number {
      return deleteExpired.run([before]).changes
    },
    setLastSeen(lastSeen: { username: string; at: Date }[]): null {
      for (const { username, at } of lastSeen) setLastSeen.run([at.getTime(), username])
      return null
    },
  }
}
