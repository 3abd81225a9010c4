/**
 * Measures what each piece of work takes of the event loop: from its beginning until the next one begins, or until all
 * that it set off without waiting (promises) has run.
 * @param onLap gets the milliseconds of a piece, and the time at its end
 */
export const createLaps = <Worker>(clock: () => number, onLap: (worker: Worker, ms: number, now: number) => void) => {
  let running: Worker | null = null
  let since = 0
  let isEndDue = false

  const end = (now: number) => {
    if (running !== null) onLap(running, now - since, now)
    running = null
  }
  const endNow = () => {
    isEndDue = false
    end(clock())
  }
  // A tick that a promise's job asks for comes when there are no more such jobs.
  const endSoon = () => process.nextTick(endNow)

  return {
    isRunning: () => running !== null,
    /** @returns the time */
    begin(worker: Worker): number {
      const now = clock()
      end(now)
      running = worker
      since = now
      if (!isEndDue) {
        isEndDue = true
        queueMicrotask(endSoon)
      }
      return now
    },
  }
}
