import type { Version } from '../contract/index.ts'
import type { Ports, Timer } from './ports.ts'

/** With the time that a read takes, within the second after which an ended session may receive nothing (P8). */
const lookMs = 500

export interface EndedSessions extends Disposable {
  /** Whatever was ended from here on is told of. */
  ready: Promise<void>
  /** @returns a function that stops the watch */
  watch(tokenHash: string, onEnd: () => void): () => void
}

/**
 * Which sessions were ended: the bus says so at once, the store says so as well, since another node may end a session
 * while this one cannot hear it. A node that has the store to itself hears all.
 */
export const followEndedSessions = ({ store, bus, clock, log }: Ports): EndedSessions => {
  const watchers = new Map<string, Set<() => void>>()
  let position: Version | null = null
  let timer: Timer | undefined
  let closed = false
  let isReady = () => {}
  const ready = bus.shared
    ? new Promise<void>((resolve) => {
        isReady = resolve
      })
    : Promise.resolve()

  const end = (tokenHash: string) => {
    for (const onEnd of watchers.get(tokenHash) ?? []) onEnd()
  }
  const unlisten = bus.onSessionEnd(end)

  const look = async () => {
    if (position === null) {
      position = await store.version()
      return isReady()
    }
    for (const { tokenHash, version } of await store.endedSessions(position)) {
      position = Math.max(position, version)
      end(tokenHash)
    }
  }
  let failing = false
  const lookOn = () =>
    look()
      .then(
        () => {
          failing = false
        },
        (error: unknown) => {
          if (!failing) log.warn({ error }, 'cannot read which sessions were ended; trying again')
          failing = true
        },
      )
      .finally(() => {
        if (!closed) timer = clock.setTimeout(lookOn, lookMs)
      })
  if (bus.shared) void lookOn()

  return {
    ready,
    watch(tokenHash, onEnd) {
      const here = watchers.get(tokenHash) ?? new Set()
      watchers.set(tokenHash, here.add(onEnd))
      return () => {
        if (here.delete(onEnd) && here.size === 0 && watchers.get(tokenHash) === here) watchers.delete(tokenHash)
      }
    },
    [Symbol.dispose]() {
      closed = true
      unlisten()
      timer?.cancel()
    },
  }
}
