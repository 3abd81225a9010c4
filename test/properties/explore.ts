import fc from 'fast-check'
import { storageAnswerMs } from '../../client-sdk/src/chat/outbox/drafts.ts'
import { speedUp } from '../harness/fast-time.ts'
import { jumpingClock } from '../harness/jumping-clock.ts'
import { startArena } from './arena.ts'
import type { Sabotage } from './device.ts'
import { play } from './play.ts'
import { type Schedule, schedules } from './schedule.ts'

export interface Exploration {
  /** The same seed makes the same schedules. */
  seed: number
  count: number
  /** How many are played at once. */
  lanes: number
  /** Leaves out those on a server of their own, which take longest. Default: false. */
  onOneServer?: boolean
  sabotage?: Sabotage
  deadlineMs?: number
  onPlayed?(played: number): void
}

/** A schedule that fails, and how. */
export interface Failure {
  index: number
  schedule: Schedule
  cause: unknown
}

/** The clients' time runs so much faster than ours. */
const haste = 20

/** Plays so many schedules on one server. @returns the first that failed, or null */
export const explore = async ({
  seed,
  count,
  lanes,
  onOneServer = false,
  sabotage,
  deadlineMs,
  onPlayed,
}: Exploration): Promise<Failure | null> => {
  const all = [...fc.sample(schedules, { seed, numRuns: count }).entries()]
  let played = 0
  let failure: Failure | null = null
  const over = new AbortController()
  const { signal } = over
  await inArena(async (arena) => {
    /** All lanes share one iterator. */
    const lane = async (rest: Iterator<[number, Schedule]>) => {
      for (let { done, value } = rest.next(); !done; { done, value } = rest.next()) {
        const [index, schedule] = value
        if (failure) return
        try {
          await play(arena, schedule, { sabotage, deadlineMs, signal })
          onPlayed?.(++played)
        } catch (cause) {
          failure ??= { index, schedule, cause }
          over.abort()
        }
      }
    }
    // The clock is everybody's, and versions of a restored store go by it alone.
    for (const isRestored of onOneServer ? [false] : [false, true]) {
      arena.setClock(0)
      const part = all.filter(([, schedule]) => schedule.isRestored === isRestored).values()
      await Promise.all(Array.from({ length: lanes }, () => lane(part)))
    }
  })
  return failure
}

/** Plays one schedule so many times, and looks for a shorter one that fails as well. */
export const shrink = (schedule: Schedule, times: number): Promise<Failure | null> =>
  inArena(async (arena) => {
    const property = fc.asyncProperty(schedules, async (candidate) => {
      for (let i = 0; i < times; i++) await play(arena, candidate)
    })
    const { counterexample, errorInstance } = await fc.check(property, { examples: [[schedule]], numRuns: 1 })
    const [shortest] = counterexample ?? []
    return shortest ? { index: 0, schedule: shortest, cause: errorInstance } : null
  })

const inArena = async <Result>(work: (arena: Awaited<ReturnType<typeof startArena>>) => Promise<Result>) => {
  using _ = speedUp(haste, storageAnswerMs)
  using clock = jumpingClock()
  await using arena = await startArena(clock)
  return await work(arena)
}
