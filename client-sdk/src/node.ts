import { WebSocket } from 'ws'
import { type ChatClient, type ClientOptions, createClientOn } from './client.ts'
import type { SocketLike } from './transport/socket.ts'

/** A client on the `ws` package: Node 20 has no WebSocket of its own. It connects with its first call. */
export const createClient = (options: ClientOptions): ChatClient =>
  createClientOn((url) => new WebSocket(url) as SocketLike, options)

export * from './public.ts'
