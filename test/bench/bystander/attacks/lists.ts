import type { Attack } from '../attack.ts'
import { addUsers, numbered, sendAll } from '../seed.ts'
import { every, keepOpen } from './connections.ts'
import { requests, webSocket } from './web-socket.ts'

const conversations = 100
const unreadOfEach = 1_000
const sockets = 15
const burstOfEach = 195 / sockets
const callsPerSecond = 100

/** The list of many conversations with much to count, as often as one user may. */
export const lists: Attack = {
  async seed(store) {
    const peers = numbered('reader', conversations)
    await addUsers(store, ['lister', ...peers])
    await sendAll(store, peers, 'lister', unreadOfEach)
  },
  async run(attacker) {
    let id = 0
    const list = () => requests([{ id: ++id, method: 'query', path: 'conversations', input: { limit: conversations } }])
    await keepOpen(
      attacker,
      sockets,
      webSocket(() => 'lister'),
      (socket) => {
        for (let i = 0; i < burstOfEach; i++) socket.write(list())
        every(socket, (1_000 / callsPerSecond) * sockets, list)
      },
    )
    return undefined
  },
}
