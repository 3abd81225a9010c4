import { WebSocket } from 'ws'
import { type ChatClient, type ClientOptions, createClientOn } from './client.ts'
import type { SocketLike } from './transport/socket.ts'

/** A client on the `ws` package: Node 20 has no WebSocket of its own. It connects with its first call. */
export const createClient = (options: ClientOptions): ChatClient => createClientOn(openSocket, options)

const openSocket = (url: string): SocketLike => {
  const socket: WebSocket & SocketLike = new WebSocket(url)
  socket.once('upgrade', ({ socket: raw }) => {
    socket.bytesRead = () => raw.bytesRead
  })
  return socket
}

export * from './public.ts'
