import { type ChatClient, type ClientOptions, createClientOn } from './client.ts'
import type { SocketLike } from './transport/socket.ts'

/** A client on the platform's own WebSocket: browsers, Deno, Bun. It connects with its first call. */
export const createClient = (options: ClientOptions): ChatClient =>
  createClientOn((url) => new globalThis.WebSocket(url) as SocketLike, options)

export * from './public.ts'
