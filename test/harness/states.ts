import { setTimeout as pause } from 'node:timers/promises'
import type { ChatClient, ClientState } from '../../client-sdk/src/node.ts'
import { createInbox } from './plain-client.ts'

/** The states of a client from here on, and waits for them. */
export const statesOf = (client: ChatClient) => {
  const states = createInbox<ClientState>()
  client.onState(states.add)
  return {
    ...states,
    async next(status: ClientState['status'], from = states.items.length): Promise<ClientState> {
      const found = () => states.items.slice(from).find((state) => state.status === status)
      await states.until(() => found() !== undefined)
      return found() as ClientState
    },
    statuses: () => states.items.map(({ status }) => status),
  }
}

/**
 * Whether it happens before these milliseconds have passed, and half a second more. They are waited for one after the
 * other, by timers of this process, as the client does it: a busy machine makes both late.
 */
export const isWithin = (event: Promise<unknown>, ...waits: number[]): Promise<boolean> => {
  const over = async () => {
    for (const ms of [...waits, 500]) await pause(ms)
    return false
  }
  return Promise.race([event.then(() => true), over()])
}
