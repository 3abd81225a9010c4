import type { StoredSession, StoredUser } from '../../domain/ports.ts'
import type { Connection } from './connection.ts'
import type { Refusal } from './operations.ts'
import type { VersionClock } from './version-clock.ts'

/** Accounts and sessions, inside the writer's transaction. */
export const openAccountWrites = (db: Connection, clock: VersionClock) => {
  const insertUser = db.prepare<[unknown[]]>('INSERT INTO user VALUES (?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING')
  const insertSession = db.prepare<[unknown[]]>(
    'INSERT INTO session SELECT ?, username, ?, ? FROM user WHERE username = ?',
  )
  const extendSession = db.prepare<[unknown[]]>('UPDATE session SET expires_at = ? WHERE token_hash = ?')
  const rememberEnded = db.prepare<[unknown[]]>(
    'INSERT INTO ended_session SELECT ?, token_hash, expires_at FROM session WHERE token_hash = ?',
  )
  const deleteSession = db.prepare<[unknown[]]>('DELETE FROM session WHERE token_hash = ?')
  const deleteExpired = db.prepare<[unknown[]]>('DELETE FROM session WHERE expires_at < ?')
  const forgetEnded = db.prepare<[unknown[]]>('DELETE FROM ended_session WHERE expires_at < ?')
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
      if (rememberEnded.run([clock.next(), tokenHash]).changes > 0) clock.advance()
      return deleteSession.run([tokenHash]).changes > 0
    },
    deleteExpiredSessions(before: number): number {
      forgetEnded.run([before])
      return deleteExpired.run([before]).changes
    },
    setLastSeen(lastSeen: { username: string; at: Date }[]): null {
      for (const { username, at } of lastSeen) setLastSeen.run([at.getTime(), username])
      return null
    },
  }
}
