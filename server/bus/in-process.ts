import type { Username } from '../contract/index.ts'
import type { Bus, BusEvent } from '../domain/ports.ts'

/** The bus of a single node: a call to each listener, so nothing is ever lost and there is never a gap. */
export const createInProcessBus = (): Bus => {
  const listeners = new Map<Username, Set<(event: BusEvent) => void>>()

  return {
    publish(usernames, event) {
      for (const username of usernames) {
        for (const onEvent of listeners.get(username) ?? []) onEvent(event)
      }
    },
    listen(username, onEvent) {
      const here = listeners.get(username) ?? new Set()
      listeners.set(username, here.add(onEvent))
      return () => {
        if (here.delete(onEvent) && here.size === 0 && listeners.get(username) === here) listeners.delete(username)
      }
    },
  }
}
