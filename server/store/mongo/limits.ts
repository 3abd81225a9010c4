import { versionsPerMs } from '../../domain/version-time.ts'

/** Nobody waits longer than this for the database. */
export const waitMaxMs = 5_000

/** A change that could be read only this long after it got its version gets a new one: readers may be past the old one. */
export const lateMs = 5_000

/** A node whose clock differs from the database's by more is not let near it. */
export const clockDifferenceMaxMs = 2_000

/**
 * How far below a version changes may still turn up: as late as they may be, with two clocks that differ as far as they
 * may, one on either side of the database's.
 */
export const overlapMs = lateMs + 2 * clockDifferenceMaxMs + 1_000
export const overlap = overlapMs * versionsPerMs
