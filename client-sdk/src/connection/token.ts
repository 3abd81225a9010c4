import type { TokenReason } from './machine.ts'
import { inTime } from './sleep.ts'

export type TokenSource =
  | string
  | null
  | undefined
  | ((why: TokenReason) => string | null | undefined | Promise<string | null | undefined>)

/**
 * The token that a function gives; null where there is no function.
 * @param signal nobody waits for it any more
 * @throws what the function throws; Error when it gives none in `timeoutMs`
 */
export const askToken = async (
  source: TokenSource,
  why: TokenReason,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string | null> => {
  if (typeof source !== 'function') return null
  const given = async () => source(why)
  const onLate = () => {
    throw new Error(`The token function gave none in ${timeoutMs} ms`)
  }
  return (await inTime(given(), timeoutMs, onLate, signal)) ?? null
}
