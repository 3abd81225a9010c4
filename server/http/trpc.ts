import type { IncomingMessage } from 'node:http'
import { type FastifyTRPCPluginOptions, fastifyTRPCPlugin } from '@trpc/server/adapters/fastify'
import type { FastifyInstance } from 'fastify'
import type { Chat } from '../domain/chat.ts'
import type { Log } from '../domain/ports.ts'
import { createHttpContext } from '../trpc/context.ts'
import { logUnforeseen } from '../trpc/errors.ts'
import { type AppRouter, appRouter } from '../trpc/router.ts'

const maxBatch = 20

/** Batch calls and SSE subscriptions for clients that cannot upgrade. @returns a function that ends the open streams. */
export const serveTrpc = (
  server: FastifyInstance,
  { chat, log, clientAddress }: { chat: Chat; log: Log; clientAddress(req: IncomingMessage): string },
): (() => void) => {
  const streams = new Set<() => void>()
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
        const closed = new AbortController()
        const close = () => res.raw.destroy()
        if (info.type === 'subscription') {
          streams.add(close)
          res.raw.once('close', () => {
            streams.delete(close)
            closed.abort()
          })
        }
        return createContext({
          authorization: req.headers.authorization,
          address: clientAddress(req.raw),
          stream: info.type === 'subscription' ? { closed: closed.signal, close } : null,
        })
      },
    } satisfies FastifyTRPCPluginOptions<AppRouter>['trpcOptions'],
  })

  return () => {
    for (const close of streams) close()
  }
}
