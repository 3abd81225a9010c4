import type { Redis } from 'ioredis'
import { ChatError } from '../../contract/index.ts'
import type { Clock, RateLimiter, RateRule } from '../../domain/ports.ts'
import type { LocalRates } from '../../domain/rates.ts'

/** What was let through without asking is told at once, and then so often at most. */
const tellMs = 100
const keysPerCall = 500
/** Redis is asked for so long; then what this node has counted decides. */
const askMs = 500

/**
 * The rule of the domain's own limiter, with one count for all nodes and Redis' time: for each key only the time at which
 * its whole burst is free again. It counts `count` of each key; where `refuse` is 1, only what is allowed.
 * @returns for each key the milliseconds to wait (0: counted), and those until its whole burst is free
 */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer = {}
for i, key in ipairs(KEYS) do
  local burst, every, count, refuse = unpack(ARGV, 4 * i - 3, 4 * i)
  local free = math.max(tonumber(redis.call('GET', key) or 0), now)
  local next = free + count * every
  local wait = math.ceil(next - now - burst * every)
  if refuse == '0' or wait <= 0 then
    wait = 0
    free = next
    if free > now then redis.call('SET', key, free, 'PX', math.ceil(free - now)) else redis.call('DEL', key) end
  end
  answer[2 * i - 1] = wait
  answer[2 * i] = math.max(0, math.ceil(free - now))
end
return answer`

interface Count {
  rule: RateRule
  key: string
  count: number
}
type WithScript = Redis & { countRates(...args: (string | number)[]): Promise<number[]> }

/**
 * Limits over all nodes. This node's own limiter is asked first and always counts, so that it can decide alone while Redis
 * is away; the limits are then those of each node.
 * @param isHeard whether Redis answers at the moment
 */
export const createRedisRates = ({
  redis,
  prefix,
  local,
  clock,
  isHeard,
}: {
  redis: Redis
  prefix: string
  local: LocalRates
  clock: Clock
  isHeard: () => boolean
}): RateLimiter => {
  redis.defineCommand('countRates', { lua: script })
  const count = (counts: Count[], refuse: boolean): Promise<number[]> =>
    (redis as WithScript).countRates(
      counts.length,
      ...counts.map(({ rule, key }) => `${prefix}${rule.name} ${key}`),
      ...counts.flatMap(({ rule, count }) => [rule.burst, rule.everyMs, count, refuse ? 1 : 0]),
    )

  let untold = new Map<string, Count>()
  let toldAt = Number.NEGATIVE_INFINITY
  const tellSoon = () => {
    const sinceMs = Math.abs(clock.now() - toldAt)
    if (sinceMs >= tellMs) tell()
    else clock.setTimeout(tell, tellMs - sinceMs)
  }
  const tell = () => {
    toldAt = clock.now()
    const counts = [...untold.values()]
    untold = new Map()
    if (!isHeard()) return
    for (let at = 0; at < counts.length; at += keysPerCall) {
      const some = counts.slice(at, at + keysPerCall)
      count(some, false).then(
        (answer) => {
          for (const [i, { rule, key }] of some.entries()) local.raise(rule, key, answer[2 * i + 1] ?? 0)
        },
        () => {}, // Redis has gone away meanwhile: what was counted here still holds here.
      )
    }
  }

  return {
    takeNow(rule, key, taken = 1) {
      local.takeNow(rule, key, taken)
      const id = `${rule.name} ${key}`
      const known = untold.get(id)
      if (known) {
        known.count += taken
        return
      }
      untold.set(id, { rule, key, count: taken })
      if (untold.size === 1) tellSoon()
    },

    async take(rule, key) {
      local.takeNow(rule, key)
      const answer = isHeard() ? await within(askMs, count([{ rule, key, count: 1 }], true)) : null
      const [waitMs = 0, freeInMs = 0] = answer ?? []
      if (waitMs <= 0) return
      local.giveBack(rule, key)
      local.raise(rule, key, freeInMs)
      throw new ChatError('rateLimited', { retryAfterMs: waitMs })
    },

    giveBack(rule, key) {
      local.giveBack(rule, key)
      if (isHeard()) count([{ rule, key, count: -1 }], false).catch(() => {}) // It is free a little later.
    },
  }
}

/** @returns null where there is no answer, or none in time */
const within = async <T>(ms: number, asked: Promise<T>): Promise<T | null> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, ms, null)
  })
  return Promise.race([asked.catch(() => null), late]).finally(() => clearTimeout(timer))
}
