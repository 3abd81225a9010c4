import { ChatError } from '../contract/index.ts'
import type { Clock, RateLimiter, RateRule } from './ports.ts'

export const defaultRules = {
  sendMessage: { name: 'sendMessage', burst: 20, everyMs: 200 },
  login: { name: 'login', burst: 5, everyMs: 5 * 60_000 },
  /** Of any names, right or wrong: each costs 20 ms of a thread, so one address must not fill the queue for all. */
  loginFromAddress: { name: 'loginFromAddress', burst: 100, everyMs: 3_000 },
  register: { name: 'register', burst: 5, everyMs: 12 * 60_000 },
} as const satisfies Record<string, RateRule>

/**
 * Keeps for each key only the time at which its whole burst is free again (the generic cell rate algorithm). Our own,
 * since it is a dozen lines, takes the time from outside and sets no timer for each key.
 */
export const createRateLimiter = (clock: Clock): RateLimiter => {
  const freeAt = new Map<string, number>()
  let sweepAt = 100_000

  const forgetFree = (now: number) => {
    if (freeAt.size < sweepAt) return
    for (const [key, at] of freeAt) if (at <= now) freeAt.delete(key)
    sweepAt = Math.max(100_000, freeAt.size * 2)
  }

  return {
    take({ name, burst, everyMs }, key) {
      const now = clock.now()
      const known = freeAt.get(`${name} ${key}`) ?? 0
      // Later than a whole burst from now: the clock was set back, and nobody has to wait for it to catch up.
      const free = known > now + burst * everyMs ? now : known
      const next = Math.max(free, now) + everyMs
      const waitMs = next - now - burst * everyMs
      if (waitMs > 0) throw new ChatError('rateLimited', { retryAfterMs: Math.ceil(waitMs) })
      freeAt.set(`${name} ${key}`, next)
      forgetFree(now)
    },
    giveBack({ name, everyMs }, key) {
      const at = freeAt.get(`${name} ${key}`)
      if (at !== undefined) freeAt.set(`${name} ${key}`, at - everyMs)
    },
  }
}

/** For load tests only. */
export const noLimits: RateLimiter = { take() {}, giveBack() {} }
