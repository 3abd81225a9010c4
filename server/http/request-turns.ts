import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { ChatError } from '../contract/index.ts'
import { withoutStack } from '../contract/without-stack.ts'
import type { TimeShare, TimeShares } from '../fairness/time-shares.ts'
import { createCounts } from './counts.ts'
import { isBelow } from './is-below.ts'

/** Requests of one address that may wait for their turn. */
const waitingMax = 100

export interface RequestTurnsOptions {
  shares: TimeShares
  /** Of the connection, where what comes over it waits for that; null: it is one of a proxy. */
  shareOf(req: IncomingMessage): TimeShare | null
  clientAddress(req: IncomingMessage): string
}

/**
 * What a request takes after it was read, in milliseconds: 0.1 for the probes, 0.2 over REST, 0.5 to 0.8 over tRPC (4,000 of each,
 * one connection). Most of it runs in later turns, among what others asked for.
 */
const msOf = ({ url = '' }: IncomingMessage): number => (isBelow('/trpc', url) ? 0.8 : 0.2)

/**
 * Requests are charged to whoever made them. Over the connection of a proxy come those of many addresses: there each waits for
 * the share of its own.
 */
export const takeTurns = (server: FastifyInstance, { shares, shareOf, clientAddress }: RequestTurnsOptions): void => {
  const waiting = createCounts()
  server.addHook('onRequest', async ({ raw }, reply) => {
    const known = shareOf(raw)
    if (known) return known.charge(msOf(raw))
    const address = clientAddress(raw)
    const share = shares.open(address)
    const hasGone = new Promise<void>((resolve) => {
      reply.raw.once('close', () => {
        share.close()
        resolve()
      })
    })
    if (share.begin()) return share.charge(msOf(raw))
    if (!waiting.add(address, waitingMax)) throw tooMany()
    await Promise.race([hasGone, new Promise<void>((resolve) => share.wait(resolve))])
    waiting.remove(address)
    share.begin()
    share.charge(msOf(raw))
  })
}

const tooMany = () =>
  withoutStack(() => new ChatError('rateLimited', { message: 'Too many requests wait already.', retryAfterMs: 1_000 }))
