import type { ChatClient, ClientState } from '../../client-sdk/src/node.ts'
import { createInbox } from './plain-client.ts'

/** The states of a client from here on, and waits for them. */
export const statesOf = (client: ChatClient) => {
  const states = createInbox<ClientState>()
  client.onState(states.add)
  return {
    ...states,
    next: (status: ClientState['status'], from = states.items.length) =>
      states.until(() => states.items.slice(from).some((state) => state.status === status)),
    statuses: () => states.items.map(({ status }) => status),
  }
}
