import { TRPCError } from '@trpc/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../domain/ports.ts'
import { errorCodes } from '../trpc/error-codes.ts'
import { formatError, logUnforeseen } from '../trpc/errors.ts'
import { transformer } from '../trpc/transformer.ts'
import { explain } from './explain.ts'

/** Answers with what was thrown before any procedure ran, in the shape that tRPC's clients read. */
export const refuseAsTrpc = (log: Log, thrown: unknown, req: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const { error, status, trpcError } = explain(thrown)
  if (status >= 500) logUnforeseen(log, trpcError, `${req.method} ${req.routeOptions.url}`)
  const code = errorCodes[error.kind]
  const shape = formatError({ error: new TRPCError({ code, message: error.message, cause: error }), path: undefined })
  return reply.code(status).send({ error: transformer.output.serialize(shape) })
}
