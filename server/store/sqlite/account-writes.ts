import type { StoredSession, StoredUser } from '../../domain/ports.ts'
import type { Connection } from './connection.ts'
import type { Refusal } from './operations.ts'
import type { ProfileRow } from './rows.ts'
import type { VersionClock } from './version-clock.ts'

/** Accounts and sessions, inside the writer's transaction. */
export const openAccountWrites = (db: Connection, clock: VersionClock) => {
  const insertUser = db.prepare<[unknown[]]>('INSERT INTO user VALUES (?, ?, ?, ?, NULL, ?) ON CONFLICT DO NOTHING')
  const insertSession = db.prepare<[unknown[]]>(
    'INSERT INTO session SELECT ?, user_id, ?, ? FROM user WHERE user_id = ?',
  )
  const setProfile = db.prepare<[unknown[]]>('UPDATE user SET display_name = ?, version = ? WHERE user_id = ?')
  // A profile is a change of each conversation that it is seen in: readers look for changes by conversation.
  const moveConversations = db.prepare<[unknown[]]>(`
    UPDATE conversation SET version = max(version, ?)
    WHERE key IN (SELECT conversation FROM member WHERE user_id = ? AND until_seq IS NULL)`)
  const extendSession = db.prepare<[unknown[]]>('UPDATE session SET expires_at = ? WHERE token_hash = ?')
  const rememberEnded = db.prepare<[unknown[]]>(
    'INSERT INTO ended_session SELECT ?, token_hash, expires_at FROM session WHERE token_hash = ?',
  )
  const deleteSession = db.prepare<[unknown[]]>('DELETE FROM session WHERE token_hash = ?')
  const deleteExpired = db.prepare<[unknown[]]>('DELETE FROM session WHERE expires_at < ?')
  const forgetEnded = db.prepare<[unknown[]]>('DELETE FROM ended_session WHERE expires_at < ?')
  const setLastSeen = db.prepare<[unknown[]]>('UPDATE user SET last_seen_at = ? WHERE user_id = ?')

  return {
    createUser({ userId, displayName, passwordHash, createdAt }: Omit<StoredUser, 'version'>): number | Refusal {
      const version = clock.advance()
      const inserted = insertUser.run([userId, displayName, passwordHash, createdAt.getTime(), version])
      return inserted.changes ? version : 'usernameTaken'
    },
    updateProfile(userId: string, displayName: string): ProfileRow | Refusal {
      const version = clock.advance()
      if (setProfile.run([displayName, version, userId]).changes === 0) return 'unknownUser'
      moveConversations.run([version, userId])
      return [userId, displayName, version]
    },
    createSession({ tokenHash, userId, createdAt, expiresAt }: StoredSession): null | Refusal {
      const inserted = insertSession.run([tokenHash, createdAt.getTime(), expiresAt.getTime(), userId])
      return inserted.changes ? null : 'unknownUser'
    },
    extendSession(tokenHash: string, expiresAt: number): null {
      extendSession.run([expiresAt, tokenHash])
      return null
    },
    deleteSession(tokenHash: string): boolean {
      rememberEnded.run([clock.advance(), tokenHash])
      return deleteSession.run([tokenHash]).changes > 0
    },
    deleteExpiredSessions(before: number): number {
      forgetEnded.run([before])
      return deleteExpired.run([before]).changes
    },
    setLastSeen(lastSeen: { userId: string; at: Date }[]): null {
      for (const { userId, at } of lastSeen) setLastSeen.run([at.getTime(), userId])
      return null
    },
  }
}
