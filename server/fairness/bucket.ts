import { createHeld } from './held.ts'
import { createLately } from './lately.ts'

/** How much time of the loop somebody may take. */
export interface BucketLimits {
  /** Milliseconds a second, for as long as one likes. */
  perSecond: number
  /** Milliseconds at once. */
  burst: number
  /** Milliseconds of one turn of the loop. */
  slice: number
}

/** What somebody has used of the loop's time. */
export interface Bucket {
  /** Counts what was used in this turn. */
  use(ms: number, now: number, turn: number): void
  /** Whether another piece of work may begin in this turn, and in any. */
  hasSlice(turn: number): boolean
  hasCredit(now: number): boolean
  /** Milliseconds a second of late. */
  lately(now: number): number
  isEmpty(now: number): boolean
}

export const createBucket = ({ perSecond, burst, slice }: BucketLimits): Bucket => {
  // A pause of the whole process falls to whoever ran, who is not to make up for it for long.
  const used = createLeak(perSecond, 2 * burst)
  const lately = createLately()
  let lastTurn = -1
  let usedInTurn = 0
  return {
    use(ms, now, turn) {
      used.add(ms, now)
      lately.add(ms, now)
      usedInTurn = turn === lastTurn ? usedInTurn + ms : ms
      lastTurn = turn
    },
    hasSlice: (turn) => turn !== lastTurn || usedInTurn < slice,
    hasCredit: (now) => used.level(now) < burst,
    lately: lately.level,
    isEmpty: (now) => used.level(now) === 0 && lately.level(now) < 1,
  }
}

/** What is added leaks away at so much a second. */
const createLeak = (perSecond: number, max: number) => {
  let left = 0
  let measuredAt = 0
  const level = (now: number): number => {
    left = Math.max(0, left - ((now - measuredAt) * perSecond) / 1_000)
    measuredAt = now
    return left
  }
  return {
    level,
    add(amount: number, now: number) {
      left = Math.min(level(now) + amount, max)
    },
  }
}

/** The buckets of those who are there, by name; one who leaves and comes back finds hers as it was. */
export const createBuckets = (limits: BucketLimits, clock: () => number) =>
  createHeld(
    () => createBucket(limits),
    (bucket) => bucket.isEmpty(clock()),
  )
