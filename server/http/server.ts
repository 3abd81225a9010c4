import cors from '@fastify/cors'
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { Log } from '../domain/ports.ts'
import { isOfRest, refuse } from './rest/refuse.ts'

/** As much as a frame of the socket; a batch of calls has to fit as well. */
const bodyLimit = 64 * 1024
/** Room for the names of a batch of calls in one path. */
const maxParamLength = 2_000

export const createHttpServer = ({ log, allowedOrigins }: { log: Log; allowedOrigins: string[] }): FastifyInstance => {
  const server = fastify({
    bodyLimit,
    routerOptions: { maxParamLength },
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    frameworkErrors: (error, req, reply) => refuseUnread(log, error, req, reply),
  })
  server.register(cors, { origin: allowedOrigins, exposedHeaders: ['ETag', 'Link', 'Retry-After'], maxAge: 600 })
  server.setErrorHandler<Error & { statusCode?: number }>((error, req, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) log.error({ error, path: req.routeOptions.url }, 'a request failed')
    return reply.code(status).send({ message: status >= 500 ? 'Something went wrong on the server.' : error.message })
  })
  server.setNotFoundHandler((req, reply) =>
    reply.code(404).send({ message: `There is nothing at ${req.method} ${req.url.split('?')[0]}` }),
  )
  return server
}

/** Addresses that cannot be read find no route, and so no error handler of one. */
const refuseUnread = (log: Log, error: FastifyError, req: FastifyRequest, reply: FastifyReply): void => {
  if (isOfRest(req.url)) refuse(log, error, req, reply)
  else reply.code(error.statusCode ?? 400).send({ message: error.message })
}
