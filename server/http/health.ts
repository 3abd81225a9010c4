import type { FastifyInstance } from 'fastify'

/**
 * `/healthz`: the process answers. `/readyz`: it takes work; if not, why, with 503. What does not work and keeps nobody
 * from working is told with 200: were every node to say no while Redis is away, a balancer would take all of them out.
 */
export const serveHealth = (
  server: FastifyInstance,
  { whyNotReady, trouble }: { whyNotReady(): Promise<string | null>; trouble(): string | null },
): void => {
  server.get('/healthz', async () => ({ status: 'ok' }))
  server.get('/readyz', async (_req, reply) => {
    const reason = await whyNotReady()
    if (reason !== null) return reply.code(503).send({ status: 'not ready', reason })
    const troubled = trouble()
    return troubled === null ? { status: 'ready' } : { status: 'ready', trouble: troubled }
  })
}
