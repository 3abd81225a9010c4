import { createFairQueue } from './fair-queue.ts'

/** Milliseconds of a turn of the event loop; what is left waits for the next turn. */
const shareMs = 4

/** Null: go on. A promise: wait for it first. */
export type LoopShare = (user: string) => Promise<void> | null

/**
 * Work that never waits by itself, such as giving out what was missed, takes a share of each turn of the event loop and no
 * more, however many do it. Asked before each small step.
 */
export const createLoopShare = (): LoopShare => {
  const waiting = createFairQueue()
  /** When the first step of this turn began. */
  let begunAt: number | null = null

  const beginTurn = () => {
    begunAt = performance.now()
    setImmediate(endTurn)
  }
  const endTurn = () => {
    begunAt = null
    if (waiting.serve()) beginTurn()
  }
  return (user) => {
    if (begunAt === null) beginTurn()
    else if (performance.now() - begunAt > shareMs) return waiting.wait(user)
    return null
  }
}
