import type { ChatError } from '../../../server/contract/errors.ts'

const firstMs = 250
/** Also between attempts that hardly can succeed. */
export const lastMs = 25_000

/**
 * How long to wait before the next attempt: a random part (full jitter) of a time that doubles from the first to the
 * last, on top of what the server asked for.
 */
export const backoffMs = (attempt: number, error: ChatError | null): number =>
  (error?.retryAfterMs ?? 0) + Math.random() * Math.min(lastMs, firstMs * 2 ** Math.min(attempt, 10))
