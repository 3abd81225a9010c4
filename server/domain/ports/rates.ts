/** Says whether one more is allowed now. */
export interface RateLimiter {
  /** Counts one, over all nodes. @throws ChatError `rateLimited` with `retryAfterMs`, and then counts nothing. */
  take(rule: RateRule, key: string): Promise<void>
  /**
   * The same at once, for what happens thousands of times a second. What other nodes count is known a moment later: all of
   * them together may let a few more pass, which are made up for. @param count how many at once
   */
  takeNow(rule: RateRule, key: string, count?: number): void
  /** Takes one `take` back. */
  giveBack(rule: RateRule, key: string): void
}
export interface RateRule {
  name: string
  /** So many at once ... */
  burst: number
  /** ... and then one each of these. */
  everyMs: number
}
