import type { ChatError, Version } from '../../contract/index.ts'
import type { Log } from '../../domain/ports.ts'
import { unavailable, wordsOf } from './errors.ts'
import { waitMaxMs } from './limits.ts'

/** One group takes at most so many, so that the first of them does not wait long for the last. */
const groupMax = 1_000
/** More waiting than this is seconds of work: refusing is kinder than queueing. */
const waitingMax = 20_000
const pauseMaxMs = 1_000

/** What became of a write in its group. */
export type Outcome<Result> =
  | { type: 'done'; version: Version; result: Result }
  | { type: 'refused'; error: ChatError }
  /** Nothing of it is in the database: another was quicker. */
  | { type: 'again' }
  /** It may be in the database, or turn up there: it is looked after until that is known, though nobody may wait any more. */
  | { type: 'unknown' }

export const again = { type: 'again' } as const
export const unknown = { type: 'unknown' } as const
export const refused = (error: ChatError) => ({ type: 'refused', error }) as const

interface Waiting<Write> {
  write: Write
  mayTurnUp: boolean
  /** Null: told that it is unavailable. */
  caller: { resolve(result: unknown): void; reject(error: ChatError): void; timer: NodeJS.Timeout } | null
}

/**
 * Group writes: what is asked for while a group runs goes into the next. Those that were not carried through come first
 * in the next group, until their caller has waited for `waitMaxMs`.
 * @param run carries out a group, in the order of its writes; where it throws, nothing was written
 * @param onLate told of results that no caller waits for any more
 */
export const startWrites = <Write>(
  run: (writes: Write[]) => Promise<Outcome<unknown>[]>,
  onLate: (write: Write, result: unknown) => void,
  log: Log,
) => {
  let waiting: Waiting<Write>[] = []
  let running: Promise<void> | null = null
  let closed = false
  const counted = { groups: 0, writes: 0, again: 0, unknown: 0 }

  const isWanted = ({ caller, mayTurnUp }: Waiting<Write>) => caller !== null || mayTurnUp

  const runGroups = async () => {
    for (let failures = 0; ; ) {
      // At the end of this turn of the event loop, so that what came in by many sockets shares a group.
      await new Promise((resolve) => setImmediate(resolve))
      waiting = waiting.filter(isWanted)
      if (waiting.length === 0) return
      const group = waiting.splice(0, groupMax)
      const outcomes = await run(group.map(({ write }) => write)).catch((error: unknown) => {
        if (failures === 0) log.warn({ reason: wordsOf(error) }, 'a group of writes failed; trying again')
        return group.map(() => again)
      })
      counted.groups++
      const left = settle(group, outcomes)
      waiting.unshift(...left)
      failures = left.length === group.length || outcomes.some(({ type }) => type === 'unknown') ? failures + 1 : 0
      if (failures > 0) await pause(Math.min(pauseMaxMs, 2 ** failures))
    }
  }

  /** Tells the callers, in the order of the versions. @returns what is left to do */
  const settle = (group: Waiting<Write>[], outcomes: Outcome<unknown>[]): Waiting<Write>[] => {
    const left: Waiting<Write>[] = []
    const done: { version: Version; tell: () => void }[] = []
    for (const [i, waiting] of group.entries()) {
      const outcome = outcomes[i] ?? again
      if (outcome.type === 'again' || outcome.type === 'unknown') {
        counted[outcome.type]++
        waiting.mayTurnUp ||= outcome.type === 'unknown'
        left.push(waiting)
        continue
      }
      counted.writes++
      const { caller } = waiting
      clearTimeout(caller?.timer)
      if (outcome.type === 'refused') caller?.reject(outcome.error)
      else
        done.push({
          version: outcome.version,
          tell: () => (caller ? caller.resolve(outcome.result) : onLate(waiting.write, outcome.result)),
        })
    }
    for (const { tell } of done.sort((a, b) => a.version - b.version)) tell()
    return left
  }

  return {
    /** @throws ChatError what it was refused for, or `unavailable`: it may or may not be stored */
    write<Result>(write: Write): Promise<Result> {
      return new Promise<unknown>((resolve, reject) => {
        if (closed) return reject(unavailable('the store is closed'))
        if (waiting.length >= waitingMax) return reject(unavailable('too much is waiting to be written'))
        const timer = setTimeout(() => {
          entry.caller = null
          reject(unavailable(`not written within ${waitMaxMs} ms`))
        }, waitMaxMs)
        const entry: Waiting<Write> = { write, mayTurnUp: false, caller: { resolve, reject, timer } }
        waiting.push(entry)
        running ??= runGroups().finally(() => {
          running = null
        })
      }) as Promise<Result>
    },

    counted: () => ({ ...counted }),

    /** Writes what waits. What cannot be written in time is given up. */
    async close(): Promise<void> {
      closed = true
      if (!running) return
      const timer = setTimeout(() => {
        for (const { caller } of waiting) {
          clearTimeout(caller?.timer)
          caller?.reject(unavailable('the store was closed'))
        }
        waiting = []
      }, waitMaxMs)
      await running
      clearTimeout(timer)
    },
  }
}

export type Writes<Write> = ReturnType<typeof startWrites<Write>>

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
