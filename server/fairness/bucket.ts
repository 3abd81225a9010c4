/** How much time of the loop somebody may take. */
export interface BucketLimits {
  /** Milliseconds a second, for as long as one likes. */
  perSecond: number
  /** Milliseconds at once. */
  burst: number
  /** Milliseconds of one turn of the loop. */
  slice: number
}

/** What somebody has used of the loop's time; it drains. */
export interface Bucket {
  /** Milliseconds that have not drained yet. */
  level(now: number): number
  /** Counts what was used in this turn. */
  use(ms: number, now: number, turn: number): void
  /** Whether another piece of work may begin in this turn, and in any. */
  hasSlice(turn: number): boolean
  hasCredit(now: number): boolean
}

export const createBucket = ({ perSecond, burst, slice }: BucketLimits): Bucket => {
  let level = 0
  let measuredAt = 0
  let lastTurn = -1
  let usedInTurn = 0

  const drain = (now: number): number => {
    level = Math.max(0, level - ((now - measuredAt) * perSecond) / 1_000)
    measuredAt = now
    return level
  }
  return {
    level: drain,
    use(ms, now, turn) {
      // A pause of the whole process falls to whoever ran, who is not to make up for it for long.
      level = Math.min(drain(now) + ms, 2 * burst)
      usedInTurn = turn === lastTurn ? usedInTurn + ms : ms
      lastTurn = turn
    },
    hasSlice: (turn) => turn !== lastTurn || usedInTurn < slice,
    hasCredit: (now) => drain(now) < burst,
  }
}

/** The buckets of those who are there, by name; one who leaves and comes back finds hers as it was. */
export const createBuckets = (limits: BucketLimits, clock: () => number) => {
  const known = new Map<string, { bucket: Bucket; holders: number }>()
  let sweepAt = 1_000
  const forgetDrained = () => {
    const now = clock()
    for (const [name, { bucket, holders }] of known) if (holders === 0 && bucket.level(now) === 0) known.delete(name)
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
      if (known.size > sweepAt) forgetDrained()
    },
  }
}
