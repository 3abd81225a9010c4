import { resumeSession } from './accounts.ts'
import type { EndedSessions } from './ended-sessions.ts'
import type { Ports, Timer } from './ports.ts'

/** A timer holds at most 24.8 days, a session 30; and an expired session must not outlive a check by long. */
const recheckMs = 12 * 3_600_000

/**
 * Calls `onEnd` once when this session is ended from anywhere or expires (P8), and moves it on as long as it is watched.
 * @returns a function that stops the watch
 */
export const watchSession =
  (ports: Ports, endedSessions: EndedSessions) =>
  (session: { tokenHash: string }, onEnd: () => void): (() => void) => {
    const { clock, log } = ports
    let timer: Timer | undefined
    let stopped = false

    const stop = () => {
      stopped = true
      timer?.cancel()
      unwatch()
    }
    const end = () => {
      if (stopped) return
      stop()
      onEnd()
    }
    const check = () =>
      resumeSession(ports)(session.tokenHash).then(
        ({ expiresAt }) => stopped || schedule(expiresAt),
        (error: unknown) => {
          if (stopped) return
          if (error instanceof Error && 'retryable' in error && error.retryable) {
            log.warn({ error }, 'cannot check a session; trying again')
            schedule(new Date(clock.now() + 10_000))
          } else end()
        },
      )
    const schedule = (expiresAt: Date) => {
      timer?.cancel()
      const ms = Math.min(Math.max(expiresAt.getTime() - clock.now(), 0), recheckMs)
      timer = clock.setTimeout(check, ms)
    }
    const unwatch = endedSessions.watch(session.tokenHash, end)
    // Watched first, read second: it may have ended since the caller has seen it.
    void endedSessions.ready.then(check)
    return stop
  }
