import type { WebSocket } from 'ws'

/** How to speak to one of the servers that are compared. */
export interface Peer {
  socketUrl(url: string): string
  signIn(socket: WebSocket, index: number): Promise<void>
  message(from: number, to: number, n: number, text: string): string
  /** The number of the message that this frame acknowledges, negative where it was refused; null: it is no answer. */
  answered(frame: string): number | null
  /** Whether the frame brings a message of the other of the pair. */
  isDelivery(frame: string, index: number): boolean
  other(frame: string, socket: WebSocket): void
}

const password = 'correct horse battery'
const nameOf = (index: number) => `user${index}`
/** Calls of the benchmark are numbered behind the two that sign in. */
const firstCall = 2

const frameWith = (socket: WebSocket, part: string): Promise<void> =>
  new Promise((resolve) => {
    const onMessage = (data: Buffer) => {
      if (!data.toString('latin1').startsWith(part)) return
      socket.off('message', onMessage)
      resolve()
    }
    socket.on('message', onMessage)
  })

const parley: Peer = {
  socketUrl: (url) => `${url.replace('http', 'ws')}/trpc`,
  async signIn(socket, index) {
    const register = { path: 'register', input: { json: { username: nameOf(index), password } } }
    socket.send(JSON.stringify({ id: 1, method: 'mutation', params: register }))
    await frameWith(socket, '{"id":1,')
    socket.send(JSON.stringify({ id: 2, method: 'subscription', params: { path: 'onMessage' } }))
    await frameWith(socket, '{"id":2,"result":{"type":"data"')
  },
  message: (from, to, n, text) =>
    `{"id":${n + firstCall},"method":"mutation","params":{"path":"sendMessage","input":{"json":{"to":"${nameOf(to)}","text":"${text}","clientMessageId":"${n.toString(36).padStart(8, '0')}-${from}"}}}}`,
  answered(frame) {
    if (frame.startsWith('{"id":2,')) return null
    const n = Number(frame.slice(6, frame.indexOf(',', 6))) - firstCall
    return frame.includes('"error":') ? -n : n
  },
  isDelivery: (frame, index) => frame.includes('"type":"message"') && frame.includes(`"sender":"${nameOf(index ^ 1)}"`),
  other() {},
}

const socketIo: Peer = {
  socketUrl: (url) => `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
  async signIn(socket, index) {
    socket.send('40')
    await frameWith(socket, '40')
    socket.send(`420["register","${nameOf(index)}"]`)
    await frameWith(socket, '430')
  },
  message: (_from, to, n, text) => `42${n}["message",{"to":"${nameOf(to)}","text":"${text}"}]`,
  answered: (frame) => (frame.startsWith('43') ? Number(frame.slice(2, frame.indexOf('['))) : null),
  isDelivery: (frame) => frame.startsWith('42'),
  other(frame, socket) {
    if (frame === '2') socket.send('3')
  },
}

export const peers = { parley, 'socket.io': socketIo, 'socket.io+insert': socketIo }
export type PeerName = keyof typeof peers
