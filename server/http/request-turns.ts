import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { ChatError } from '../contract/index.ts'
import { withoutStack } from '../contract/without-stack.ts'
import type { TimeShares } from '../fairness/time-shares.ts'
import { createCounts } from './counts.ts'

/** Requests of one address that may wait for their turn. */
const waitingMax = 100

export interface RequestTurnsOptions {
  shares: TimeShares
  /** Whether what comes over the request's connection waits there already. */
  isRead(req: IncomingMessage): boolean
  clientAddress(req: IncomingMessage): string
}

/** Over the connection of a proxy come requests of many addresses: each waits for the share of its own. */
export const takeTurns = (server: FastifyInstance, { shares, isRead, clientAddress }: RequestTurnsOptions): void => {
  const waiting = createCounts()
  server.addHook('onRequest', async ({ raw }, reply) => {
    if (isRead(raw)) return
    const address = clientAddress(raw)
    const share = shares.open(address)
    const hasGone = new Promise<void>((resolve) => {
      reply.raw.once('close', () => {
        share.close()
        resolve()
      })
    })
    if (share.begin()) return
    if (!waiting.add(address, waitingMax)) throw tooMany()
    await Promise.race([hasGone, new Promise<void>((resolve) => share.wait(resolve))])
    waiting.remove(address)
    share.begin()
  })
}

const tooMany = () =>
  withoutStack(() => new ChatError('rateLimited', { message: 'Too many requests wait already.', retryAfterMs: 1_000 }))
