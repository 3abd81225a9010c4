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
/** Open streams of one user and of one address: as many as sockets. */
const streamsPerUser = 20
const streamsPerAddress = 200

/** Batch calls and SSE subscriptions for clients that cannot upgrade. @returns a function that ends the open streams. */
export const serveTrpc = (
  server: FastifyInstance,
  { chat, log, clientAddress }: { chat: Chat; log: Log; clientAddress(req: IncomingMessage): string },
): (() => void) => {
  const streams = new Set<() => void>()
  const perUser = createCounts()
  const perAddress = createCounts()
  const createContext = createHttpContext(chat)

  // The plugin takes forms of any size into memory, past the server's limit; and no procedure takes a form.
  server.addHook('onRequest', async (req, reply) => {
    if (!req.url.startsWith('/trpc/') || !/^multipart\//i.test(req.headers['content-type'] ?? '')) return
    return reply.code(415).send({ message: 'Procedures take JSON.' })
  })
  server.register(fastifyTRPCPlugin, {
    prefix: '/trpc',
    trpcOptions: {
      router: appRouter,
      maxBatchSize: maxBatch,
      onError: ({ error, path }) => logUnforeseen(log, error, path),
      createContext: async ({ req, res, info }) => {
        const address = clientAddress(req.raw)
        const { authorization } = req.headers
        if (info.type !== 'subscription') return createContext({ authorization, address, stream: null })
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
        })
        count(perAddress, address, streamsPerAddress)
        const identify = (username: string) => count(perUser, username, streamsPerUser)
        return createContext({ authorization, address, stream: { closed: closed.signal, close, identify } })
      },
    } satisfies FastifyTRPCPluginOptions<AppRouter>['trpcOptions'],
  })

  return () => {
    for (const close of streams) close()
  }
}
