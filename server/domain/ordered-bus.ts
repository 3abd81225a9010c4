import type { Username, Version } from '../contract/index.ts'
import type { Bus, BusEvent } from './ports.ts'

/**
 * Publishes what one commit brought forth in the order of its versions, whatever the order in which those who wrote it
 * come to tell. A feed's cursor is the version of its last event: were a lower one still to come, a client that is cut
 * between the two would never get it.
 */
export const inVersionOrder = (bus: Bus): Bus => {
  let gathered: { usernames: Username[]; event: BusEvent; version: Version }[] = []

  const publishGathered = () => {
    const events = gathered.sort((a, b) => a.version - b.version)
    gathered = []
    for (const { usernames, event } of events) bus.publish(usernames, event)
  }

  return {
    ...bus,
    publish(usernames, event) {
      if (event.type === 'sessionEnded') return bus.publish(usernames, event)
      // All promises of a commit resolve in one turn of the event loop, so at its end all of them have told.
      if (gathered.length === 0) setImmediate(publishGathered)
      const { version } = event.type === 'message' ? event.message : event.receipt
      gathered.push({ usernames, event, version })
    },
  }
}
