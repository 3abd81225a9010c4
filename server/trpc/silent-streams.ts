import type { Clock, Timer } from '../domain/ports.ts'

/** As long as a WebSocket may be silent: `pingMs` and `pongMs` make 35 s. */
export const silentMs = 30_000

/**
 * Ends the streams of sessions that say nothing else for 30 s. A stream only goes one way, so what is sent into it tells
 * nothing for minutes of a client that is gone, and who is gone must not look as if she were online (P7). Any call of
 * the same session is a sign of life; a client that makes none just opens its stream anew, which is one as well.
 */
export const createSilentStreams = (clock: Clock) => {
  const sessions = new Map<string, { timer: Timer; streams: Set<() => void> }>()

  const wait = (tokenHash: string) =>
    clock.setTimeout(() => {
      for (const end of sessions.get(tokenHash)?.streams ?? []) end()
    }, silentMs)

  const noteSign = (tokenHash: string) => {
    const session = sessions.get(tokenHash)
    if (!session) return
    session.timer.cancel()
    session.timer = wait(tokenHash)
  }

  return {
    noteSign,
    /** @returns a function that stops the watch */
    watch(tokenHash: string, end: () => void): () => void {
      const session = sessions.get(tokenHash) ?? { timer: wait(tokenHash), streams: new Set() }
      sessions.set(tokenHash, session)
      session.streams.add(end)
      noteSign(tokenHash)
      return () => {
        session.streams.delete(end)
        if (session.streams.size > 0) return
        session.timer.cancel()
        sessions.delete(tokenHash)
      }
    },
  }
}
