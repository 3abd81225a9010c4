import { getTRPCErrorFromUnknown, TRPCError } from '@trpc/server'
import { getHTTPStatusCodeFromError } from '@trpc/server/http'
import { ChatError, type ErrorKind } from '../contract/index.ts'
import { errorCodes } from '../trpc/error-codes.ts'
import { asChatError } from '../trpc/errors.ts'

export const statusOf = (kind: ErrorKind): number =>
  getHTTPStatusCodeFromError(new TRPCError({ code: errorCodes[kind] }))

/** What is refused before a call is made, by its status. */
const kindByStatus: Record<number, ErrorKind> = { 404: 'unknownProcedure', 413: 'tooLarge', 503: 'unavailable' }

/** Fastify's codes for bodies and addresses that cannot be read at all. */
const malformedCodes = ['FST_ERR_CTP_INVALID_JSON_BODY', 'FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'FST_ERR_BAD_URL']

export interface HttpError extends Error {
  statusCode?: number
  code?: string
}

/** An error with a status of its own, where that of its kind would say too little: 405, 415. */
export const httpError = (statusCode: number, message: string): HttpError =>
  Object.assign(new Error(message), { statusCode })

/** Whatever was thrown, as the error that callers know and the status that it travels with. */
export const explain = (thrown: unknown): { error: ChatError; status: number; trpcError: TRPCError } => {
  const trpcError = getTRPCErrorFromUnknown(thrown)
  const { statusCode = 500, code = '', message } = (thrown ?? {}) as HttpError
  if (thrown instanceof TRPCError || thrown instanceof ChatError || statusCode >= 500 || statusCode < 400) {
    const error = asChatError(trpcError)
    return { error, status: statusOf(error.kind), trpcError }
  }
  const isMalformed = thrown instanceof SyntaxError || malformedCodes.includes(code)
  const kind = isMalformed ? 'malformed' : (kindByStatus[statusCode] ?? 'badRequest')
  const words = statusCode === 415 ? 'Send the body as JSON, with the header content-type: application/json.' : message
  return { error: new ChatError(kind, { message: words, cause: thrown }), status: statusCode, trpcError }
}
