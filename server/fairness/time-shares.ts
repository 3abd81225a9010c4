import { type Bucket, type BucketLimits, createBucket, createBuckets } from './bucket.ts'
import { createLaps } from './laps.ts'
import { createWaiting, lightMs } from './waiting.ts'

/**
 * Milliseconds of the event loop. A call that reads the store takes 0.1 to 0.3 of them, so that the hundred a second which
 * one user is allowed fit many times; a frame of junk takes 0.01.
 */
const ofConnection: BucketLimits = { perSecond: 200, burst: 200, slice: 1 }
const ofUser: BucketLimits = { perSecond: 300, burst: 300, slice: 2 }
const ofAddress: BucketLimits = { perSecond: 400, burst: 400, slice: 2 }
/** Of one turn, for all who are not light; what is left waits for the next turn. */
const turnMs = 4
/**
 * Who has had nothing to wait for in so long is not late any more: she waits because of others at her address, and not for what
 * she asks without a pause.
 */
const caughtUpMs = 100
/** How soon it is looked again whether somebody who used hers up may go on. */
const lookAgainMs = 5

/** The part of one connection in the loop's time. */
export interface TimeShare {
  /** Begins a piece of its work: what runs until others have their turn is counted. @returns false: it has to wait */
  begin(): boolean
  /** Counts what will be done for it where it cannot be told from what is done for others, in milliseconds. */
  charge(ms: number): void
  /** Runs it now and counts what it takes; within a piece of work it is part of that. */
  work<Result>(run: () => Result): Result
  /** `goOn` is called once, when the next piece may begin. */
  wait(goOn: () => void): void
  /** How long there has been something to do for it that had to wait, in milliseconds. */
  lateMs(): number
  /** There is nothing left to do for it. */
  rest(): void
  /** Whose connection it is; what she uses elsewhere counts as well. */
  identify(user: string): void
  close(): void
}

export interface TimeShares {
  open(address: string): TimeShare
}

interface Guest {
  readonly own: Bucket
  readonly address: Bucket
  user: { name: string; bucket: Bucket } | null
  goOn: (() => void) | null
  isServed: boolean
  /** Since when it has had to wait again and again; and since when it has not. */
  lateSince: number | null
  restedSince: number | null
}

/**
 * Who gets the time of the event loop. Everybody begins at once what there is to do, as long as her connection, her address and
 * she herself have used less than their part; the others wait, and whoever has used least goes on first. Of those who wait
 * one goes on in each turn of the loop, so that what has come for others meanwhile is never behind more than a slice.
 * @param clock milliseconds that only move forward
 */
export const createTimeShares = (clock: () => number = () => performance.now()): TimeShares => {
  const addresses = createBuckets(ofAddress, clock)
  const users = createBuckets(ofUser, clock)
  const waiting = createWaiting<Guest>()
  let turn = 0
  let usedInTurn = 0
  let isTurnBegun = false
  let isServing = false

  const use = (guest: Guest, ms: number, now: number) => {
    usedInTurn += ms
    for (const bucket of bucketsOf(guest)) bucket.use(ms, now, turn)
  }
  const laps = createLaps(clock, use)
  const endTurn = () => {
    isTurnBegun = false
    turn++
    usedInTurn = 0
  }
  const beginTurn = () => {
    if (isTurnBegun) return
    isTurnBegun = true
    setImmediate(endTurn)
  }

  const mayBegin = (guest: Guest, now: number): boolean =>
    bucketsOf(guest).every((bucket) => bucket.hasSlice(turn) && bucket.hasCredit(now)) &&
    // Whoever types and reads never waits for those who use more.
    (usedInTurn < turnMs || guest.address.lately(now) < lightMs)

  const serve = () => {
    isServing = false
    const guest = waiting.take(clock())
    if (guest === null) {
      if (!waiting.isEmpty()) serveLater(() => setTimeout(serve, lookAgainMs))
      return
    }
    guest.isServed = true
    guest.goOn?.()
    if (!waiting.isEmpty()) serveLater(() => setImmediate(serve))
  }
  const serveLater = (schedule: () => void) => {
    if (isServing) return
    isServing = true
    schedule()
  }

  return {
    open(addressName) {
      const guest: Guest = {
        own: createBucket(ofConnection),
        address: addresses.hold(addressName),
        user: null,
        goOn: null,
        isServed: false,
        lateSince: null,
        restedSince: null,
      }
      const forgetUser = () => {
        if (guest.user !== null) users.letGo(guest.user.name)
        guest.user = null
      }
      return {
        begin() {
          const now = laps.begin(guest)
          beginTurn()
          if (guest.isServed) {
            guest.isServed = false
            return true
          }
          return !waiting.has(guest) && mayBegin(guest, now)
        },
        charge(ms) {
          use(guest, ms, clock())
          beginTurn()
        },
        work(run) {
          if (laps.isRunning()) return run()
          const begun = clock()
          try {
            return run()
          } finally {
            const now = clock()
            use(guest, now - begun, now)
            beginTurn()
          }
        },
        wait(goOn) {
          const now = clock()
          const hasCaughtUp = guest.restedSince !== null && now - guest.restedSince > caughtUpMs
          guest.lateSince = hasCaughtUp ? now : (guest.lateSince ?? now)
          guest.restedSince = null
          guest.goOn = goOn
          waiting.add(guest, now)
          serveLater(() => setImmediate(serve))
        },
        lateMs: () => (guest.lateSince === null ? 0 : clock() - guest.lateSince),
        rest() {
          guest.restedSince ??= clock()
        },
        identify(name) {
          forgetUser()
          guest.user = { name, bucket: users.hold(name) }
        },
        close() {
          waiting.remove(guest)
          forgetUser()
          addresses.letGo(addressName)
        },
      }
    },
  }
}

const bucketsOf = ({ own, address, user }: Guest): Bucket[] =>
  user === null ? [own, address] : [own, address, user.bucket]
