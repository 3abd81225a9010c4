import type { Usage, Used } from './usage.ts'

/** Runs it when it is this user's turn. `costOf` its result is what it used, in milliseconds. */
export type Turns = <Result>(
  user: string,
  run: () => Promise<Result>,
  costOf: (result: Result) => number,
) => Promise<Result>

/** A user of whom something runs or waits. */
interface Guest {
  readonly used: Used
  running: number
  /** The rank at which she waits. */
  rank: number
  readonly queue: (() => void)[]
}

/**
 * At most `max` of what it is given run at once, of one user at most `maxOfUser`. Whoever used least of late is next; those who
 * used about as much take turns.
 */
export const createTurns = ({ max, maxOfUser }: { max: number; maxOfUser: number }, usage: Usage): Turns => {
  const guests = new Map<string, Guest>()
  const waiting = createRanks()
  let runningInAll = 0

  const arrive = (user: string): Guest => {
    const known = guests.get(user)
    if (known) return known
    const guest = { used: usage.hold(user), running: 0, rank: 0, queue: [] }
    guests.set(user, guest)
    return guest
  }
  const leave = (user: string) => {
    guests.delete(user)
    usage.letGo(user)
  }
  const serve = () => {
    while (runningInAll < max) {
      const guest = waiting.first(({ running }) => running < maxOfUser)
      if (guest === null) return
      waiting.delete(guest)
      const goOn = guest.queue.shift()
      if (guest.queue.length > 0) waiting.add(guest)
      runningInAll++
      guest.running++
      goOn?.()
    }
  }

  return async (user, run, costOf) => {
    const guest = arrive(user)
    await new Promise<void>((resolve) => {
      if (guest.queue.push(resolve) === 1) waiting.add(guest)
      serve()
    })
    try {
      const result = await run()
      guest.used.add(costOf(result))
      return result
    } finally {
      runningInAll--
      guest.running--
      if (guest.queue.length > 0) {
        waiting.delete(guest)
        waiting.add(guest)
      } else if (guest.running === 0) leave(user)
      serve()
    }
  }
}

/** Those who wait, by rank; within one in the order in which they came. */
const createRanks = () => {
  const ranks = new Map<number, Set<Guest>>()
  return {
    add(guest: Guest): void {
      guest.rank = guest.used.rank()
      const there = ranks.get(guest.rank) ?? new Set()
      ranks.set(guest.rank, there.add(guest))
    },
    delete(guest: Guest): void {
      const there = ranks.get(guest.rank)
      if (there?.delete(guest) && there.size === 0) ranks.delete(guest.rank)
    },
    first(mayGo: (guest: Guest) => boolean): Guest | null {
      // There are few: what most people used differs by a few doublings.
      for (const rank of [...ranks.keys()].sort((a, b) => a - b)) {
        for (const guest of ranks.get(rank) as Set<Guest>) if (mayGo(guest)) return guest
      }
      return null
    },
  }
}
