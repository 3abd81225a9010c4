import { WebSocket } from 'ws'
import { type ChatClient, type ClientOptions, createClientOn } from './client.ts'
import type { SocketClass } from './socket.ts'

/** A client on the `ws` package: Node 20 has no WebSocket of its own. It connects with its first call. */
export const createClient = (options: ClientOptions): ChatClient =>
  createClientOn(WebSocket as unknown as SocketClass, options)

export * from './public.ts'
