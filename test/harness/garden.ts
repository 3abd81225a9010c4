import { once } from 'node:events'
import { initTRPC, lazy, TRPCError, tracked } from '@trpc/server'
import { type CreateFastifyContextOptions, fastifyTRPCPlugin } from '@trpc/server/adapters/fastify'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { fastify } from 'fastify'
import type superjson from 'superjson'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import { servePages } from '../../server/http/pages.ts'
import { servePanelDocument } from '../../server/http/panel.ts'
import { describeRouter } from '../../server/panel/describe.ts'
import type { PanelOptions } from '../../server/panel/document.ts'

/** A router that has nothing to do with ours: nested, with inputs of all kinds, served by tRPC's own adapters. */
export const gardenRouter = (transformer?: typeof superjson) => {
  const t = initTRPC
    .context<{ key: string | undefined }>()
    .meta<{ description: string }>()
    .create({ isDev: false, pathSeparator: '~', ...(transformer && { transformer }) })
  const plants = new Map<string, unknown>()

  const Plant = z.object({
    name: z.string().min(2).max(40).describe('What it is called here.'),
    sort: z.enum(['tree', 'shrub', 'herb']),
    planted: z.date(),
    height: z.number().min(0).max(120).optional(),
    beds: z.array(z.int().min(1).max(9)).min(1).max(3),
    care: z.discriminatedUnion('type', [
      z.object({ type: z.literal('water'), litres: z.number().default(2) }),
      z.object({ type: z.literal('prune'), months: z.array(z.enum(['March', 'July'])) }),
    ]),
    note: z.string().nullable(),
    labels: z.record(z.string(), z.string()).optional(),
    isRare: z.boolean().default(false),
    position: z.tuple([z.number(), z.number()]).optional(),
  })

  return t.router({
    gate: {
      enter: t.procedure
        .meta({ description: 'Gives a key.' })
        .input(z.object({ visitor: z.string(), word: z.string().meta({ format: 'password' }) }))
        .mutation(({ input }) => ({ key: `key-of-${input.visitor}`, visitor: { label: input.visitor } })),
      who: t.procedure.query(({ ctx }) => {
        if (ctx.key === undefined) throw new TRPCError({ code: 'UNAUTHORIZED', message: 'Enter first.' })
        return ctx.key
      }),
    },
    plants: t.router({
      add: t.procedure.input(Plant).mutation(({ input }) => {
        plants.set(input.name, input)
        return input
      }),
      get: t.procedure.input(z.string().describe('The name of a plant.')).query(({ input }) => plants.get(input)),
      beyond: lazy(async () => t.router({ horizon: t.procedure.query(() => new Map([['sea', 10n]])) })),
    }),
    odd: t.procedure
      .input(z.object({ a: z.string() }))
      .input(z.object({ b: z.int().optional() }))
      .input((value: unknown) => value as { a: string; b?: number })
      .query(({ input }) => input),
    days: t.procedure
      .input(z.object({ from: z.int().min(0).default(0), lastEventId: z.string().optional() }))
      .subscription(async function* ({ input, signal }) {
        const first = Number(input.lastEventId ?? input.from) + 1
        for (let day = first; !signal?.aborted; day++) {
          yield tracked(String(day), { day })
          // It is day for as long as somebody waits for the next.
          if (day % 3 === 0) await new Promise((resolve) => signal?.addEventListener('abort', resolve))
        }
      }),
  })
}

export const gardenOptions: PanelOptions = {
  title: 'Garden',
  links: [],
  endpoint: '/rpc',
  credentials: { headers: { 'x-key': '{{token}}' }, connectionParams: { key: '{{token}}' } },
  signIn: [{ path: 'gate.enter', token: 'key', name: 'visitor.label' }],
  signOut: null,
  errors: { kind: 'code', issues: 'issues' },
  finalCloseCodes: [],
  snippets: [],
}

/** The router, the panel and nothing else. */
export const startGarden = async (transformer?: typeof superjson) => {
  const router = gardenRouter(transformer)
  const server = fastify({ routerOptions: { maxParamLength: 500 }, forceCloseConnections: true })
  server.register(fastifyTRPCPlugin, {
    prefix: '/rpc',
    trpcOptions: {
      router,
      createContext: ({ req }: CreateFastifyContextOptions) => ({ key: req.headers['x-key'] as string | undefined }),
    },
  })
  servePages(server, { log: { warn() {} } })
  servePanelDocument(server, '/panel/procedures.json', () => describeRouter(router, gardenOptions))
  const sockets = new WebSocketServer({ server: server.server, path: '/rpc' })
  applyWSSHandler({
    wss: sockets,
    router,
    createContext: ({ info }) => ({ key: info.connectionParams?.key }),
  })
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  return {
    url,
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate()
      sockets.close()
      await once(sockets, 'close')
      await server.close()
    },
  }
}
