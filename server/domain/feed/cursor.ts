import { ChatError, type Version } from '../../contract/index.ts'
import { versionsPerMs } from '../version-time.ts'

/** Where a client is, as it says it when it comes back. */
export interface Cursor {
  since: Version
  /** Null: all up to `since` has come. Else nothing has, but what was undelivered up to this version (0: nothing at all). */
  undeliveredFrom: Version | null
}

export const cursorAt = (version: Version): string => `v${version}`

export const undeliveredCursor = (since: Version, from: Version): string =>
  from === 0 ? `u${since}` : `u${since}.${from}`

/** A change of this very moment may have a version that the present has not reached yet. */
const aheadMax = 2 * versionsPerMs

/**
 * `v<version>`: all up to there has come. `u<since>`: nothing has come yet, and what was undelivered at `since` is still
 * wanted; it has to name the version, since meanwhile another device may take what this one has not seen.
 * `u<since>.<version>`: of what was undelivered, all up to that version has come.
 * @throws ChatError `badCursor`: it is none, or lies in the future, as after the store was restored on a machine whose
 * clock is wrong; to go on behind it would omit what comes until then
 */
export const readCursor = (text: string | undefined, present: Version, overlap: Version): Cursor => {
  if (text === undefined) return { since: present, undeliveredFrom: 0 }
  const [, version, since, from = '0'] = /^(?:v(\d{1,16})|u(\d{1,16})(?:\.(\d{1,16}))?)$/.exec(text) ?? []
  const cursor = { since: Number(version ?? since), undeliveredFrom: since === undefined ? null : Number(from) }
  const last = Math.max(cursor.since, cursor.undeliveredFrom ?? 0)
  // What is no number compares as false.
  if (!(last <= present + Math.max(overlap, aheadMax))) throw new ChatError('badCursor')
  return cursor
}
