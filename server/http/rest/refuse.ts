import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorKind } from '../../contract/index.ts'
import type { Log } from '../../domain/ports.ts'
import { logUnforeseen } from '../../trpc/errors.ts'
import { explain } from '../explain.ts'
import { asProblem } from './problem.ts'

/** Answers with whatever was thrown, as a problem and with the headers that go with it. */
export const refuseAsProblem = (log: Log, thrown: unknown, req: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const { error, status, trpcError } = explain(thrown)
  if (status >= 500) logUnforeseen(log, trpcError, `${req.method} ${req.routeOptions.url}`)
  const problem = asProblem(error, status)
  if (problem.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(problem.retryAfterMs / 1000))
  if (status === 401) reply.header('www-authenticate', challenge(problem.kind))
  if (status === 415) reply.header('accept', 'application/json')
  reply.header('cache-control', 'no-store').header('content-type', 'application/problem+json')
  // As bytes, since Fastify adds a charset to text, which this type has none of.
  return reply.code(status).send(Buffer.from(JSON.stringify(problem)))
}

const challenge = (kind: ErrorKind): string => (kind === 'sessionEnded' ? 'Bearer error="invalid_token"' : 'Bearer')
