import type { TokenReason } from './machine.ts'
import { sleep, timerMaxMs } from './sleep.ts'

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
  const given = new AbortController()
  const end = () => given.abort()
  signal.addEventListener('abort', end)
  const giveUp = async () => {
    await sleep(Math.min(timeoutMs, timerMaxMs), given.signal)
    throw new Error(`The token function gave none in ${timeoutMs} ms`)
  }
  try {
    return (await Promise.race([source(why), giveUp()])) ?? null
  } finally {
    end()
    signal.removeEventListener('abort', end)
  }
}
