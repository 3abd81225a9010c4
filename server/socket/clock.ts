/** Where time comes from. All deadlines of all sockets are looked at from the one timer that `every` starts. */
export interface Clock {
  /** Milliseconds from any fixed point; never goes back. */
  now(): number
  /** Calls `tick` every `ms` milliseconds, without keeping the process alive. */
  every(ms: number, tick: () => void): { cancel(): void }
}

export const systemClock: Clock = {
  now: () => performance.now(),
  every(ms, tick) {
    const timer = setInterval(tick, ms).unref()
    return { cancel: () => clearInterval(timer) }
  },
}
