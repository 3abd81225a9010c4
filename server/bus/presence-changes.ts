import { limits, type UserId } from '../contract/index.ts'
import type { Clock, PresenceChange } from '../domain/ports.ts'

/** Telling everybody of everybody is quadratic, so the changes of this time travel as one. */
export const gatherMs = 250

/** Gathers who came and went, only the last of each user, and tells it in portions that fit an event. */
export const gatherChanges = (clock: Clock) => {
  const listeners = new Set<(changes: PresenceChange[]) => void>()
  const gathered = new Map<UserId, PresenceChange>()

  const tellAll = () => {
    const changes = [...gathered.values()]
    gathered.clear()
    for (let at = 0; at < changes.length; at += limits.statusesPerEvent) {
      const portion = changes.slice(at, at + limits.statusesPerEvent)
      for (const onChange of listeners) onChange(portion)
    }
  }
  return {
    tell(change: PresenceChange) {
      if (gathered.size === 0) clock.setTimeout(tellAll, gatherMs)
      gathered.set(change.userId, change)
    },
    listen(onChange: (changes: PresenceChange[]) => void) {
      listeners.add(onChange)
      return () => void listeners.delete(onChange)
    },
  }
}
