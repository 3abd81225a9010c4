import type { KnownNetwork } from '../../domain/ports.ts'
import type { Connection } from './connection.ts'

/** From where users have signed in, inside the writer's transaction. */
export const openKnownNetworkWrites = (db: Connection) => {
  const remember = db.prepare<[unknown[]]>(`
    INSERT INTO known_network VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET seen_at = max(seen_at, excluded.seen_at)`)
  const keepNewest = db.prepare<[unknown[]]>(`
    DELETE FROM known_network WHERE user_id = ?1 AND network_hash IN (
      SELECT network_hash FROM known_network WHERE user_id = ?1 ORDER BY seen_at DESC LIMIT -1 OFFSET ?2)`)
  const forget = db.prepare<[unknown[]]>('DELETE FROM known_network WHERE seen_at < ?')

  return {
    rememberNetwork({ userId, networkHash, seenAt }: KnownNetwork, keep: number): null {
      remember.run([userId, networkHash, seenAt.getTime()])
      keepNewest.run([userId, keep])
      return null
    },
    deleteNetworksSeenBefore(before: number): number {
      return forget.run([before]).changes
    },
  }
}
