import { setTimeout as sleep } from 'node:timers/promises'

/** Just within what the server lets one user call: 200 at once, then 100 a second. */
const burst = 190
const everyMs = 10.5

/** A turn for each call of one user, such that none is refused. */
export const createPace = (): (() => Promise<void>) => {
  let nextAt = performance.now() - burst * everyMs
  return async () => {
    const now = performance.now()
    nextAt = Math.max(nextAt, now - burst * everyMs) + everyMs
    if (nextAt > now) await sleep(nextAt - now)
  }
}
