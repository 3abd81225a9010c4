import { getTRPCErrorFromUnknown, TRPCError } from '@trpc/server'
import { getHTTPStatusCodeFromError } from '@trpc/server/http'
import { z } from 'zod'
import { ChatError, type ErrorKind, errorKinds } from '../../contract/index.ts'
import { asChatError } from '../../trpc/errors.ts'

/** Those that the SDK makes by itself never travel. */
const ofTheSdk: ErrorKind[] = ['connectionLost', 'timedOut', 'outboxFull', 'notStored', 'cancelled', 'closed']

export const problemKinds = (Object.keys(errorKinds) as ErrorKind[]).filter((kind) => !ofTheSdk.includes(kind))

/** RFC 9457, with what our errors say besides. */
export const Problem = z.object({
  type: z.string().describe('Names the kind, and leads to its description.'),
  title: z.string().describe('The words of the kind, always the same.'),
  status: z.int().describe('The HTTP status.'),
  detail: z.string().describe('The words for this occurrence.'),
  kind: z.enum(problemKinds),
  retryable: z.boolean().describe('Whether the same call may succeed later.'),
  retryAfterMs: z.int().optional().describe('When; given for limits.'),
  issues: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .optional()
    .describe('For `invalidInput`: what does not fit, by path.'),
})
export type Problem = z.infer<typeof Problem>

export const problemType = (kind: ErrorKind): string => `/api/docs#${kind}`

export const statusOf = (kind: ErrorKind): number =>
  getHTTPStatusCodeFromError(new TRPCError({ code: errorKinds[kind].code }))

/** What Fastify refuses before a call is made, by its status. */
const kindByStatus: Record<number, ErrorKind> = { 404: 'unknownProcedure', 413: 'tooLarge', 503: 'unavailable' }

/** Fastify's codes for bodies and addresses that cannot be read at all. */
const malformedCodes = ['FST_ERR_CTP_INVALID_JSON_BODY', 'FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'FST_ERR_BAD_URL']

interface HttpError extends Error {
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

export const asProblem = (
  { kind, message, retryable, retryAfterMs, issues }: ChatError,
  status = statusOf(kind),
): Problem => ({
  type: problemType(kind),
  title: errorKinds[kind].message,
  status,
  detail: message,
  kind,
  retryable,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
  ...(issues && { issues }),
})
