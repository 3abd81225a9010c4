import type { RateLimiter, RateRule } from './ports.ts'

/** One count by this rule, of this key. */
export type Limit = [rule: RateRule, key: string]

/** Counts all of them, or none. @throws ChatError `rateLimited` of the first that refuses */
export const takeAll = async (rates: RateLimiter, limits: Limit[]): Promise<void> => {
  for (const [i, [rule, key]] of limits.entries()) {
    await rates.take(rule, key).catch((error: unknown) => {
      giveBackAll(rates, limits.slice(0, i))
      throw error
    })
  }
}

export const giveBackAll = (rates: RateLimiter, limits: Limit[]): void => {
  for (const [rule, key] of limits) rates.giveBack(rule, key)
}
