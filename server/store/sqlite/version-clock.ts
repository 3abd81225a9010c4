import { versionAt, versionsPerMs } from '../../domain/version-time.ts'
import { type Connection, prepareValue } from './connection.ts'

/**
 * Hybrid time, inside the writer's transaction: at least the clock, and more than any version before, also than any
 * position that a reader was told (`told`). It is never lowered, not even when a transaction fails; so a file that was put
 * back from a backup gives none that it has given before.
 */
export const openVersionClock = (db: Connection) => {
  const write = db.prepare<[unknown[]]>('UPDATE clock SET version = ?')
  let version = Math.max(prepareValue(db, 'SELECT version FROM clock')([]) as number, versionAt(Date.now()))

  return {
    /**
     * First in the transaction. What a version is beyond its millisecond is random, so that it does not say how much else
     * was written in that millisecond.
     */
    begin(told: number): void {
      const now = versionAt(Date.now()) + Math.floor((Math.random() * versionsPerMs) / 2)
      version = Math.max(version, told, now)
    },
    advance: () => ++version,
    current: () => version,
    /** Last in the transaction. */
    write(): void {
      write.run([version])
    },
  }
}

export type VersionClock = ReturnType<typeof openVersionClock>
