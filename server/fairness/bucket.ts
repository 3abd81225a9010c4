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
  /** Milliseconds a second of late: what was used a second ago counts for a third, and so on. */
  lately(now: number): number
  isEmpty(now: number): boolean
}

export const createBucket = ({ perSecond, burst, slice }: BucketLimits): Bucket => {
  // A pause of the whole process falls to whoever ran, who is not to make up for it for long.
  const used = createLeak(perSecond, 2 * burst)
  let usedLately = 0
  let latelyAt = 0
  const lately = (now: number): number => {
    usedLately *= Math.exp((latelyAt - now) / 1_000)
    latelyAt = now
    return usedLately
  }
  let lastTurn = -1
  let usedInTurn = 0
  return {
    use(ms, now, turn) {
      used.add(ms, now)
      usedLately = lately(now) + ms
      usedInTurn = turn === lastTurn ? usedInTurn + ms : ms
      lastTurn = turn
    },
    hasSlice: (turn) => turn !== lastTurn || usedInTurn < slice,
    hasCredit: (now) => used.level(now) < burst,
    lately,
    isEmpty: (now) => used.level(now) === 0 && lately(now) < 1,
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
export const createBuckets = (limits: BucketLimits, clock: () => number) => {
  const known = new Map<string, { bucket: Bucket; holders: number }>()
  let sweepAt = 1_000
  const forgetEmpty = () => {
    const now = clock()
    for (const [name, { bucket, holders }] of known) if (holders === 0 && bucket.isEmpty(now)) known.delete(name)
    sweepAt = Math.max(1_000, known.size * 2)
  }
  return {
    hold(name: string): Bucket {
      const entry = known.get(name) ?? { bucket: createBucket(limits), holders: 0 }
      entry.holders++
      known.set(name, entry)
      return entry.bucket
    },
    letGo(name: string): void {
      const entry = known.get(name)
      if (entry) entry.holders--
      if (known.size > sweepAt) forgetEmpty()
    },
  }
}
