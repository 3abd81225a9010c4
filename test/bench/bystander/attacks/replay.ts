import { option } from '../../load/load.ts'
import type { Attack } from '../attack.ts'
import { addUsers, numbered, sendAll } from '../seed.ts'
import { keepOpen } from './connections.ts'
import { requests, webSocket } from './web-socket.ts'

const conversations = option('conversations', 400)
const messages = option('messages', 50)
const sockets = 19
const subscriptionsPerSocket = 10

/** Subscriptions of one user from the beginning of time. */
export const replay: Attack = {
  async seed(store) {
    const peers = numbered('peer', conversations)
    await addUsers(store, ['eve', ...peers])
    await sendAll(store, peers, 'eve', messages)
  },
  async run(attacker) {
    const input = { lastEventId: 'v0', ack: 'client' }
    await keepOpen(
      attacker,
      sockets,
      webSocket(() => 'eve'),
      (socket) => {
        for (let id = 1; id <= subscriptionsPerSocket; id++)
          socket.write(requests([{ id, method: 'subscription', path: 'onMessage', input }]))
      },
    )
    return undefined
  },
}
