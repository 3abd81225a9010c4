import type { Clock } from '../../server/domain/ports.ts'

/** Time that stands still until a test moves it on. */
export const createTestClock = (): Clock & { advance(ms: number): void } => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const timers = new Set<{ at: number; run: () => void }>()

  return {
    now: () => now,
    setTimeout(run, ms) {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return { cancel: () => timers.delete(timer) }
    },
    advance(ms) {
      const until = now + ms
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
        if (!next) break
        timers.delete(next)
        now = Math.max(now, next.at)
        next.run()
      }
      now = until
    },
  }
}

/** Moves the time on until the wait is over: what has to happen first happens on real sockets. */
export const advanceUntil = async <T>(
  clock: { advance(ms: number): void },
  stepMs: number,
  wait: Promise<T>,
): Promise<T> => {
  let isOver = false
  const over = wait.finally(() => {
    isOver = true
  })
  while (!isOver) {
    clock.advance(stepMs)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return over
}
