import { type ChatClient, type ClientOptions, createClientOn } from './client.ts'
import type { SocketClass } from './socket.ts'

/** A client on the platform's own WebSocket: browsers, Deno, Bun. It connects with its first call. */
export const createClient = (options: ClientOptions): ChatClient =>
  createClientOn(globalThis.WebSocket as unknown as SocketClass, options)

export * from './public.ts'
