import { createHeld } from './held.ts'
import { createLately } from './lately.ts'

/** So little is as good as nothing, in milliseconds a second. */
const nothingMs = 1
/** Ranks between one use and twice as much. */
const ranksPerDouble = 8

/** What each user used of late, kept for as long as it says something. */
export const createUsage = (clock: () => number = () => performance.now()) =>
  createHeld(
    () => createUsed(clock),
    ({ isNothing }) => isNothing(),
  )
export type Usage = ReturnType<typeof createUsage>

export type Used = ReturnType<typeof createUsed>

const createUsed = (clock: () => number) => {
  const used = createLately()
  return {
    add: (ms: number) => used.add(ms, clock()),
    /**
     * A whole number, lower for whoever used less. It holds for as long as nothing is added: what others have used fades at
     * the same pace.
     */
    rank(): number {
      const now = clock()
      return Math.floor(ranksPerDouble * (now / 1_000 / Math.LN2 + Math.log2(nothingMs + used.level(now))))
    },
    isNothing: () => used.level(clock()) < nothingMs,
  }
}
