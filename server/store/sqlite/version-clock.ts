import { versionAt } from '../../domain/version-time.ts'
import { type Connection, prepareValue } from './connection.ts'

/**
 * One number for every change, inside the writer's transaction. It is never lowered, not even when one fails; and it
 * begins at the time, so that a file that was put back from a backup gives none that it has given before.
 */
export const openVersionClock = (db: Connection) => {
  const write = db.prepare<[unknown[]]>('UPDATE clock SET version = ?')
  let version = Math.max(prepareValue(db, 'SELECT version FROM clock')([]) as number, versionAt(Date.now()))

  return {
    /** The version that the next change would get; `advance` makes it so. */
    next: () => version + 1,
    advance: () => ++version,
    /** Last in the transaction. */
    write(): void {
      write.run([version])
    },
  }
}

export type VersionClock = ReturnType<typeof openVersionClock>
