import type { Username } from '../contract/index.ts'
import type { Clock, Presence, PresenceChange, Timer } from '../domain/ports.ts'

/** Who comes back within this time after her last connection ended was never away. */
export const graceMs = 5_000
/** Telling everybody of everybody is quadratic, so the changes of this time travel as one. */
export const gatherMs = 250

/** Counts the connections of a single node. */
export const createInProcessPresence = (clock: Clock): Presence => {
  const online = new Map<Username, { since: Date; connections: number; leaving: Timer | null }>()
  const listeners = new Set<(changes: PresenceChange[]) => void>()
  const gathered = new Map<Username, PresenceChange>()

  const tell = (username: Username, isOnline: boolean, at: Date) => {
    if (gathered.size === 0) {
      clock.setTimeout(() => {
        const changes = [...gathered.values()]
        gathered.clear()
        for (const onChange of listeners) onChange(changes)
      }, gatherMs)
    }
    gathered.set(username, { username, online: isOnline, at })
  }

  const leave = (username: Username) => {
    const user = online.get(username)
    if (!user || --user.connections > 0) return
    const at = new Date(clock.now())
    user.leaving = clock.setTimeout(() => {
      online.delete(username)
      tell(username, false, at)
    }, graceMs)
  }

  return {
    connect(username) {
      const user = online.get(username)
      if (user) {
        user.leaving?.cancel()
        user.leaving = null
        user.connections++
      } else {
        const since = new Date(clock.now())
        online.set(username, { since, connections: 1, leaving: null })
        tell(username, true, since)
      }
      let connected = true
      return () => {
        if (connected) leave(username)
        connected = false
      }
    },
    online: () => online,
    listen(onChange) {
      listeners.add(onChange)
      return () => listeners.delete(onChange)
    },
  }
}
