import type { Audience, Bus, PublishedChange } from './ports.ts'

/**
 * Publishes what one commit brought forth in the order of its versions, whatever the order in which those who wrote it
 * come to tell. A feed's cursor is the version of its last event: were a lower one still to come, a client that is cut
 * between the two would never get it.
 */
export const inVersionOrder = (bus: Bus): Bus => {
  let gathered: { audience: Audience; change: PublishedChange }[] = []

  const publishGathered = () => {
    const changes = gathered.sort((a, b) => a.change.version - b.change.version)
    gathered = []
    for (const { audience, change } of changes) bus.publish(audience, change)
  }

  return {
    ...bus,
    publish(audience, change) {
      // All promises of a commit resolve in one turn of the event loop, so at its end all of them have told.
      if (gathered.length === 0) setImmediate(publishGathered)
      gathered.push({ audience, change })
    },
  }
}
