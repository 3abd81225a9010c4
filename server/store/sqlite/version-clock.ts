import { type Connection, prepareValue } from './connection.ts'

/** One number for every change, inside the writer's transaction. It is never lowered, not even when one fails. */
export const openVersionClock = (db: Connection) => {
  const write = db.prepare<[unknown[]]>('UPDATE clock SET version = ?')
  let version = prepareValue(db, 'SELECT version FROM clock')([]) as number

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
