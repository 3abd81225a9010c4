import { ChatError } from '../contract/index.ts'
import { withoutStack } from '../contract/without-stack.ts'
import type { Clock, Ports, RateLimiter, RateRule } from './ports.ts'

const dayMs = 24 * 3_600_000
/** A day's share at once, and then as many each day. */
export const perDay = (bytes: number): RateRule => ({ name: 'storage', burst: bytes, everyMs: dayMs / bytes })

export const defaultRules = {
  sendMessage: { name: 'sendMessage', burst: 20, everyMs: 200 },
  /** Bytes of one user within a day. */
  storage: perDay(64 * 1024 * 1024),
  /** All else of one user, each of which reads the store: paging on as fast as answers come stays within it. */
  call: { name: 'call', burst: 200, everyMs: 10 },
  /** Each tells everybody who shares a conversation with the user. */
  updateProfile: { name: 'updateProfile', burst: 10, everyMs: 60_000 },
  login: { name: 'login', burst: 5, everyMs: 5 * 60_000 },
  /**
   * Wrong guesses at one name from all networks together that it has not signed in from: 30, and then 96 a day. NIST SP
   * 800-63B (5.2.2) ends at 100 in a row, and names known addresses as a way to lock out the guesser and not the owner.
   */
  loginFromUnknown: { name: 'loginFromUnknown', burst: 30, everyMs: 15 * 60_000 },
  /** Of any names, right or wrong: each costs 20 ms of a thread, so one address must not fill the queue for all. */
  loginFromAddress: { name: 'loginFromAddress', burst: 100, everyMs: 3_000 },
  register: { name: 'register', burst: 20, everyMs: 3 * 60_000 },
} satisfies Ports['rules']

/** The limits of one node, which may be told what others counted. */
export interface LocalRates extends RateLimiter {
  /** The whole burst of this key is free again in so many milliseconds, at the earliest. */
  raise(rule: RateRule, key: string, freeInMs: number): void
}

/**
 * Keeps for each key only the time at which its whole burst is free again (the generic cell rate algorithm). Our own,
 * since it is a dozen lines, takes the time from outside and sets no timer for each key.
 */
export const createRateLimiter = (clock: Clock): LocalRates => {
  const freeAt = new Map<string, number>()
  let sweepAt = 100_000
  let latest = 0

  const readClock = (): number => {
    const now = clock.now()
    // The clock was set back, and nobody has to wait for it to catch up.
    if (now < latest - 1_000) freeAt.clear()
    latest = now
    return now
  }
  const forgetFree = (now: number) => {
    if (freeAt.size < sweepAt) return
    for (const [key, at] of freeAt) if (at <= now) freeAt.delete(key)
    sweepAt = Math.max(100_000, freeAt.size * 2)
  }
  const takeNow = ({ name, burst, everyMs }: RateRule, key: string, count = 1) => {
    const now = readClock()
    const next = Math.max(freeAt.get(`${name} ${key}`) ?? 0, now) + count * everyMs
    const waitMs = next - now - burst * everyMs
    if (waitMs > 0) throw withoutStack(() => new ChatError('rateLimited', { retryAfterMs: Math.ceil(waitMs) }))
    freeAt.set(`${name} ${key}`, next)
    forgetFree(now)
  }

  return {
    takeNow,
    async take(rule, key) {
      takeNow(rule, key)
    },
    giveBack({ name, everyMs }, key) {
      const at = freeAt.get(`${name} ${key}`)
      if (at !== undefined) freeAt.set(`${name} ${key}`, at - everyMs)
    },
    raise({ name }, key, freeInMs) {
      const at = readClock() + freeInMs
      if (at > (freeAt.get(`${name} ${key}`) ?? 0)) freeAt.set(`${name} ${key}`, at)
    },
  }
}

/** For load tests only. */
export const noLimits: RateLimiter = { async take() {}, takeNow() {}, giveBack() {} }
