import type { Socket } from 'node:net'
import type { Attack } from '../attack.ts'
import { addUsers, numbered, sendAll } from '../seed.ts'
import { keepOpen } from './connections.ts'
import { createPace } from './pace.ts'
import { requests, webSocket } from './web-socket.ts'

const accounts = numbered('slow', 10)
const socketsPerAccount = 20
const pagesPerSocket = 16
const pageMax = 100
/** Each character takes six bytes as JSON. */
const longText = '\u0001'.repeat(4_000)

const accountOf = (index: number): string => accounts[Math.floor(index / socketsPerAccount)] as string

/** Whoever asks for much and reads nothing, but says all the while that they are there. */
export const slowReaders: Attack = {
  seconds: 70,
  async seed(store) {
    await addUsers(store, [...accounts, 'novelist'])
    for (const account of accounts) await sendAll(store, [account], 'novelist', pageMax, longText)
  },
  async run(attacker) {
    const paces = new Map(accounts.map((account) => [account, createPace()]))
    const input = { conversation: 'novelist', limit: pageMax }
    const ask = async (socket: Socket, index: number) => {
      socket.pause()
      for (let id = 1; id <= pagesPerSocket; id++) {
        await paces.get(accountOf(index))?.()
        if (!socket.writable) return
        socket.write(requests([{ id, method: 'query', path: 'history', input }]))
      }
    }
    await keepOpen(attacker, accounts.length * socketsPerAccount, webSocket(accountOf), ask)
    return undefined
  },
}
