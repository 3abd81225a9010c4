import type { Bus, BusEvent } from '../../domain/ports.ts'
import { createListeners } from '../listeners.ts'
import type { NodeChannel } from './channel.ts'
import { readEvent, writeEvent } from './event-text.ts'

const topic = 'event'

/** The bus of many nodes: who listens here is told at once, who listens elsewhere by way of Redis. */
export const createRedisBus = (channel: NodeChannel): Bus => {
  const listeners = createListeners()

  channel.on(topic, (_node, { head, body }) => {
    const here = head.split(',').filter(listeners.has)
    const event: BusEvent | null = here.length > 0 ? readEvent(body) : null
    if (event) listeners.tell(here, event)
  })
  channel.onHole((_node, gap) => listeners.gap(gap))

  return {
    shared: true,
    whole: channel.whole,
    publish(usernames, event) {
      listeners.tell(usernames, event)
      channel.send(topic, usernames.join(','), writeEvent(event))
    },
    listen: listeners.listen,
  }
}
