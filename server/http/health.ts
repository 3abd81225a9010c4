import type { FastifyInstance } from 'fastify'
import { ChatError } from '../contract/index.ts'
import type { Store } from '../domain/ports.ts'

/** Asking the store writes to it; however many ask, it is asked once at a time and at most once a second. */
const askEveryMs = 1_000

export interface HealthOptions {
  isStopping(): boolean
  store: Pick<Store, 'ping'>
  /** What does not work and keeps nobody from working. */
  trouble(): string | null
}

/**
 * `/healthz`: the process answers. `/readyz`: it takes work; if not, why, with 503. Its troubles are told with 200: were
 * every node to say no while Redis is away, a balancer would take all of them out.
 */
export const serveHealth = (server: FastifyInstance, { isStopping, store, trouble }: HealthOptions): void => {
  const askStore = () =>
    store.ping().then(
      () => null,
      (error: unknown) => (error instanceof ChatError ? error.message : 'The store cannot be reached.'),
    )
  let asked: { answeredAt: number; fault: Promise<string | null> } | null = null
  const storeFault = () => {
    if (asked && performance.now() - asked.answeredAt < askEveryMs) return asked.fault
    const now = { answeredAt: Number.POSITIVE_INFINITY, fault: askStore() }
    asked = now
    void now.fault.then(() => {
      now.answeredAt = performance.now()
    })
    return now.fault
  }

  server.get('/healthz', async () => ({ status: 'ok' }))
  server.get('/readyz', async (_req, reply) => {
    const reason = isStopping() ? 'The server is stopping.' : await storeFault()
    if (reason !== null) return reply.code(503).send({ status: 'not ready', reason })
    const troubled = trouble()
    return troubled === null ? { status: 'ready' } : { status: 'ready', trouble: troubled }
  })
}
