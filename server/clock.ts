import type { Clock } from './domain/ports.ts'

export const systemClock: Clock = {
  now: Date.now,
  setTimeout(run, ms) {
    const timer = setTimeout(run, ms)
    return { cancel: () => clearTimeout(timer) }
  },
}
