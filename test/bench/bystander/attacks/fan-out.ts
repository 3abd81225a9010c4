import type { Socket } from 'node:net'
import type { Attack } from '../attack.ts'
import { addUsers, numbered } from '../seed.ts'
import { every, keepOpen } from './connections.ts'
import { createPace } from './pace.ts'
import { requests, webSocket } from './web-socket.ts'

const accounts = numbered('fan', 10)
const socketsPerAccount = 20
const subscriptionsPerSocket = 100
const sendEveryMs = 200
/** Subscriptions are calls: 2,000 of one user at 100 a second. Messages come when there are all, lest they be replayed. */
const buildUpSeconds = 21

const accountOf = (index: number): string => accounts[Math.floor(index / socketsPerAccount)] as string

/** Each message of one to another is told to both of them on 2,000 subscriptions. */
export const fanOut: Attack = {
  buildUpSeconds,
  async seed(store) {
    await addUsers(store, accounts)
  },
  async run(attacker) {
    const paces = new Map(accounts.map((account) => [account, createPace()]))
    const sendFrom = performance.now() + buildUpSeconds * 1_000
    let sent = 0
    const send = (from: number) => () => {
      const input = { to: accounts[(from + 1) % accounts.length], text: `message ${sent++}` }
      return requests([{ id: subscriptionsPerSocket + 1, method: 'mutation', path: 'sendMessage', input }])
    }
    const subscribe = async (socket: Socket, index: number) => {
      if (index % socketsPerAccount === 0) {
        const begin = () => every(socket, sendEveryMs, send(index / socketsPerAccount))
        setTimeout(begin, sendFrom - performance.now())
      }
      for (let id = 1; id <= subscriptionsPerSocket; id++) {
        await paces.get(accountOf(index))?.()
        if (!socket.writable) return
        const input = { ack: 'client' }
        socket.write(requests([{ id, method: 'subscription', path: 'onMessage', input }]))
      }
    }
    await keepOpen(attacker, accounts.length * socketsPerAccount, webSocket(accountOf), subscribe)
    return undefined
  },
}
