import type { IncomingMessage } from 'node:http'
import cors from '@fastify/cors'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { maxFrameBytes } from '../contract/protocol.ts'
import type { Log } from '../domain/ports.ts'
import type { Intakes } from '../fairness/intake.ts'
import type { TimeShares } from '../fairness/time-shares.ts'
import { explain, type HttpError, httpError } from './explain.ts'
import { type HostGate, hostnameOf } from './hosts.ts'
import { isBelow } from './is-below.ts'
import type { KnownOrigins } from './origins.ts'
import { boundConnections } from './plain-connections.ts'
import { takeTurns } from './request-turns.ts'
import { refuseAsProblem } from './rest/refuse.ts'
import { refuseAsTrpc } from './trpc-errors.ts'
import { upgradeOptions } from './upgrades.ts'
import { refuseIllFormed } from './well-formed.ts'

/** Room for the names of a batch of calls in one path. */
const maxParamLength = 2_000

export interface HttpOptions extends KnownOrigins {
  log: Log
  trustedProxies: string[]
  isOurs: HostGate
  /** Null: everybody is served as fast as can be. */
  fairness: { shares: TimeShares; intakes: Intakes } | null
  clientAddress(req: IncomingMessage): string
}

export const createHttpServer = ({
  log,
  publicUrl,
  allowedOrigins,
  trustedProxies,
  isOurs,
  fairness,
  clientAddress,
}: HttpOptions): FastifyInstance => {
  const refuse = (thrown: unknown, req: FastifyRequest, reply: FastifyReply) => {
    if (isBelow('/api', req.url)) return refuseAsProblem(log, thrown, req, reply)
    if (isBelow('/trpc', req.url)) return refuseAsTrpc(log, thrown, req, reply)
    const { error, status } = explain(thrown)
    if (status >= 500) log.error({ error: thrown, path: req.routeOptions.url }, 'a request failed')
    return reply.code(status).send({ message: error.message })
  }
  const server = fastify({
    bodyLimit: maxFrameBytes,
    routerOptions: { maxParamLength },
    // Until a request has arrived, until it has begun to, and how long nobody may take what is sent.
    requestTimeout: 30_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 5_000, ...upgradeOptions },
    connectionTimeout: 30_000,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    // Addresses that cannot be read find no route, and so no error handler of one.
    frameworkErrors: (error, req, reply) => void refuse(error, req, reply),
  })
  server.register(cors, {
    origin: [...allowedOrigins, ...(publicUrl === null ? [] : [publicUrl])],
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    exposedHeaders: ['ETag', 'Link', 'Retry-After'],
    maxAge: 600,
  })
  server.addHook('onRequest', async ({ raw, url }, reply) => {
    setHeaders(url, reply)
    refuseBadHost(raw, isOurs)
  })
  if (fairness) {
    const { shares, intakes } = fairness
    takeTurns(server, { shares, shareOf: ({ socket }) => intakes.find(socket)?.share ?? null, clientAddress })
  }
  refuseIllFormed(server)
  server.setErrorHandler<HttpError>(refuse)
  server.setNotFoundHandler((req) => {
    throw httpError(404, `There is nothing at ${req.method} ${req.url.split('?')[0]}`)
  })
  boundConnections(server.server, trustedProxies, fairness?.intakes ?? null)
  return server
}

/** It becomes part of an address in what reads the request. */
const refuseBadHost = ({ headers, url }: IncomingMessage, isOurs: HostGate): void => {
  const name = hostnameOf(headers.host ?? 'none')
  if (name === null) throw httpError(400, 'The Host header names no host.')
  // Whoever looks after servers may call this one by any name; what it hears is no secret.
  if (!isOurs({ headers }) && !/^\/(?:healthz|readyz)(?:\?|$)/.test(url ?? '')) throw httpError(421, notOurs(name))
}

const notOurs = (name: string): string =>
  `This server is not known as ${name}. If people reach it by that name, set PUBLIC_URL to it, such as https://${name}.`

/** What an answer says is what it is; and what stands in an answer to a call is kept nowhere. */
const setHeaders = (url: string, reply: FastifyReply): void => {
  reply.header('x-content-type-options', 'nosniff')
  if (isBelow('/trpc', url)) reply.header('cache-control', 'no-store')
}
