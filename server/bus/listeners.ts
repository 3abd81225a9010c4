import type { Username } from '../contract/index.ts'
import type { BusEvent, Gap } from '../domain/ports.ts'

interface Listener {
  onEvent(event: BusEvent): void
  onGap(gap: Gap): void
}

/** Who listens at this node, by whose events they want. */
export const createListeners = () => {
  const listeners = new Map<Username, Set<Listener>>()

  return {
    has: (username: Username) => listeners.has(username),
    tell(usernames: Username[], event: BusEvent) {
      for (const username of usernames) {
        for (const { onEvent } of listeners.get(username) ?? []) onEvent(event)
      }
    },
    gap(gap: Gap) {
      for (const here of listeners.values()) for (const { onGap } of here) onGap(gap)
    },
    listen(username: Username, onEvent: Listener['onEvent'], onGap: Listener['onGap']) {
      const listener = { onEvent, onGap }
      const here = listeners.get(username) ?? new Set()
      listeners.set(username, here.add(listener))
      return () => {
        if (here.delete(listener) && here.size === 0 && listeners.get(username) === here) listeners.delete(username)
      }
    },
  }
}
