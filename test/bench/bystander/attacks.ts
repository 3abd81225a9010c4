import { once } from 'node:events'
import { WebSocket } from 'ws'

/** Each attacks the server in its own way until it is told to stop. */
export type Attack = (server: { url: string; token: string }, signal: AbortSignal) => Promise<void>

const subscriptionsPerSocket = 10

/** All that a socket of this user is sent is read and thrown away. */
const signedIn = async (url: string, token: string, signal: AbortSignal): Promise<WebSocket> => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/trpc?connectionParams=1`, { perMessageDeflate: false })
  await once(socket, 'open', { signal })
  socket.send(JSON.stringify({ method: 'connectionParams', data: { token } }))
  return socket
}

/** Subscriptions from the beginning of time, which are begun again as soon as all of them have had everything. */
const replay: Attack = async ({ url, token }, signal) => {
  const sockets = await Promise.all(Array.from({ length: 19 }, () => signedIn(url, token, signal)))
  const input = { json: { lastEventId: 'v0', ack: 'client' } }
  for (const socket of sockets) {
    for (let id = 1; id <= subscriptionsPerSocket; id++) {
      socket.send(JSON.stringify({ id, method: 'subscription', params: { path: 'onMessage', input } }))
    }
  }
  await once(signal, 'abort')
  for (const socket of sockets) socket.terminate()
}

export const attacks: Record<string, Attack> = { replay }
