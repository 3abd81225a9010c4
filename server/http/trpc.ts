import type { IncomingMessage } from 'node:http'
import { type FastifyTRPCPluginOptions, fastifyTRPCPlugin } from '@trpc/server/adapters/fastify'
import type { FastifyInstance } from 'fastify'
import { ChatError } from '../contract/index.ts'
import { maxBatch } from '../contract/protocol.ts'
import type { Log } from '../domain/ports.ts'
import type { CreateHttpContext } from '../trpc/context.ts'
import { logUnforeseen } from '../trpc/errors.ts'
import { type AppRouter, appRouter } from '../trpc/router.ts'
import type { BeginCalls } from './calls-in-flight.ts'
import { type Counts, createAddressCounts, createCounts } from './counts.ts'
import { httpError } from './explain.ts'

/** Open streams of one user, of one address and of all: as many as sockets. */
const streamsPerUser = 20
const streamsPerAddress = 200
const streamsMax = 10_000

export interface TrpcOptions {
  createContext: CreateHttpContext
  beginCalls: BeginCalls
  clientAddress(req: IncomingMessage): string
  log: Log
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
  { createContext, beginCalls, clientAddress, log, takesConnections }: TrpcOptions,
): Streams => {
  const streams = new Set<() => void>()
  let onEmpty = () => {}
  const isOpen = () => takesConnections() && streams.size < streamsMax
  const perUser = createCounts()
  const perAddress = createAddressCounts()

  // The plugin takes forms of any size into memory, past the server's limit; and no procedure takes a form.
  server.addHook('onRequest', async ({ url, headers }) => {
    if (url.startsWith('/trpc/') && /^multipart\//i.test(headers['content-type'] ?? '')) throw httpError(415, '')
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
        const { authorization } = req.headers
        if (info.type !== 'subscription') {
          return createContext({ authorization, stream: null, ...beginCalls(req.raw, res.raw, info.calls.length) })
        }
        if (!isOpen()) throw new ChatError('unavailable', { message: 'The server takes no connections at the moment.' })
        const closed = new AbortController()
        const close = () => res.raw.destroy()
        const count = (counts: Counts, key: string, max: number) => {
          if (closed.signal.aborted) return
          if (!counts.add(key, max)) throw new ChatError('tooManyConnections')
          closed.signal.addEventListener('abort', () => counts.remove(key))
        }
        streams.add(close)
        res.raw.once('close', () => {
          streams.delete(close)
          closed.abort()
          if (streams.size === 0) onEmpty()
        })
        const address = clientAddress(req.raw)
        count(perAddress, address, streamsPerAddress)
        const identify = (userId: string) => count(perUser, userId, streamsPerUser)
        return createContext({ authorization, address, identify, stream: { closed: closed.signal, close } })
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
