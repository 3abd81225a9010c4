import type { FastifyInstance } from 'fastify'

/** `/healthz`: the process answers. `/readyz`: it takes work; if not, why, with 503. */
export const serveHealth = (server: FastifyInstance, whyNotReady: () => Promise<string | null>): void => {
  server.get('/healthz', async () => ({ status: 'ok' }))
  server.get('/readyz', async (_req, reply) => {
    const reason = await whyNotReady()
    if (reason === null) return { status: 'ready' }
    return reply.code(503).send({ status: 'not ready', reason })
  })
}
