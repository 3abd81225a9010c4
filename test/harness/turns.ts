import { readFileSync } from 'node:fs'

export const canWatchTurns = process.platform === 'linux'

/** Milliseconds of processor time of this thread alone: what a busy machine does meanwhile does not count. */
const threadMs = (): number =>
  Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6

/** What each turn of this thread's event loop takes, from now on. Linux only. */
export const watchTurns = () => {
  const turns: number[] = []
  let isOver = false
  let lastMs = threadMs()
  const turn = () => {
    const now = threadMs()
    turns.push(now - lastMs)
    lastMs = now
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  return {
    /** The longest one, and the one that a hundredth of them are longer than. */
    end(): { longest: number; p99: number } {
      isOver = true
      const longestFirst = turns.toSorted((a, b) => b - a)
      return { longest: longestFirst[0]!, p99: longestFirst[Math.floor(turns.length / 100)]! }
    },
  }
}
