import type { IncomingMessage } from 'node:http'
import { type FastifyTRPCPluginOptions, fastifyTRPCPlugin } from '@trpc/server/adapters/fastify'
import type { FastifyInstance } from 'fastify'
import { ChatError } from '../contract/index.ts'
import type { Chat } from '../domain/chat.ts'
import type { Log } from '../domain/ports.ts'
import { createHttpContext } from '../trpc/context.ts'
import { logUnforeseen } from '../trpc/errors.ts'
import { type AppRouter, appRouter } from '../trpc/router.ts'
import { type Counts, createCounts } from './counts.ts'

const maxBatch = 20
/** Open streams of one user, of one address and of all: as many as sockets. */
const streamsPerUser = 20
const streamsPerAddress = 200
const streamsMax = 10_000

export interface TrpcOptions {
  chat: Chat
  log: Log
  clientAddress(req: IncomingMessage): string
  /** Whether another connection may begin; a server that is full or stops takes none, and serves the calls that come. */
  takesConnections(): boolean
}

export interface Streams {
  count(): number
  /** Ends them one by one over this time, so that their clients do not come back all at once. */
  drain(spreadMs: number): Promise<void>
  end(): void
}

/** Batch calls and SSE subscriptions for clients that cannot upgrade. */
export const serveTrpc = (
  server: FastifyInstance,
  { chat, log, clientAddress, takesConnections }: TrpcOptions,
): Streams => {
  const streams = new Set<() => void>()
  let onEmpty = () => {}
  const isOpen = () => takesConnections() && streams.size < streamsMax
  const perUser = createCounts()
  const perAddress = createCounts()
  const createContext = createHttpContext(chat)

  // The plugin takes forms of any size into memory, past the server's limit; and no procedure takes a form.
  server.addHook('onRequest', async (req, reply) => {
    if (!req.url.startsWith('/trpc/') || !/^multipart\//i.test(req.headers['content-type'] ?? '')) return
    return reply.code(415).send({ message: 'Procedures take JSON.' })
  })
  // How a client asks whether it may connect, and whether the server is still there; tRPC answers a HEAD with 204.
  server.addHook('onRequest', async (req, reply) => {
    if (req.method === 'HEAD' && req.url.startsWith('/trpc/') && !isOpen()) return reply.code(503).send()
  })
  server.register(fastifyTRPCPlugin, {
    prefix: '/trpc',
    trpcOptions: {
      router: appRouter,
      maxBatchSize: maxBatch,
      // Queries and subscriptions may be POSTed: what is in an address stands in the logs of proxies, and is short.
      allowMethodOverride: true,
      onError: ({ error, path }) => logUnforeseen(log, error, path),
      createContext: async ({ req, res, info }) => {
        const address = clientAddress(req.raw)
        const { authorization } = req.headers
        if (info.type !== 'subscription') return createContext({ authorization, address, stream: null })
        if (!isOpen()) throw new ChatError('unavailable', { message: 'The server takes no connections at the moment.' })
        const closed = new AbortController()
        const close = () => res.raw.destroy()
        const count = (counts: Counts, key: string, max: number) => {
          if (!counts.add(key, max)) throw new ChatError('tooManyConnections')
          closed.signal.addEventListener('abort', () => counts.remove(key))
        }
        streams.add(close)
        res.raw.once('close', () => {
          streams.delete(close)
          closed.abort()
          if (streams.size === 0) onEmpty()
        })
        count(perAddress, address, streamsPerAddress)
        const identify = (username: string) => count(perUser, username, streamsPerUser)
        return createContext({ authorization, address, stream: { closed: closed.signal, close, identify } })
      },
    } satisfies FastifyTRPCPluginOptions<AppRouter>['trpcOptions'],
  })

  return {
    count: () => streams.size,
    async drain(spreadMs) {
      if (streams.size === 0) return
      const empty = new Promise<void>((resolve) => {
        onEmpty = resolve
      })
      for (const close of streams) setTimeout(close, Math.random() * spreadMs).unref()
      await empty
    },
    end() {
      for (const close of streams) close()
    },
  }
}
