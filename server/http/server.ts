import cors from '@fastify/cors'
import { type FastifyInstance, fastify } from 'fastify'
import type { Log } from '../domain/ports.ts'

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
