import { TRPCError } from '@trpc/server'
import { getHTTPStatusCodeFromError } from '@trpc/server/http'
import { type TRPC_ERROR_CODE_KEY, type TRPC_ERROR_CODE_NUMBER, TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc'
import { ZodError } from 'zod'
import { ChatError, type ErrorFacts, type ErrorKind } from '../contract/index.ts'
import { withoutStack } from '../contract/without-stack.ts'
import type { Log } from '../domain/ports.ts'
import { errorCodes } from './error-codes.ts'

/** How an error travels. */
export interface ErrorShape {
  message: string
  code: TRPC_ERROR_CODE_NUMBER
  data: ErrorFacts & { code: TRPC_ERROR_CODE_KEY; httpStatus: number; path?: string }
}

/** The errors that tRPC or the socket layer throws by themselves. */
const kindByCode: Partial<Record<TRPC_ERROR_CODE_KEY, ErrorKind>> = {
  PARSE_ERROR: 'malformed',
  BAD_REQUEST: 'badRequest',
  NOT_FOUND: 'unknownProcedure',
  METHOD_NOT_SUPPORTED: 'badRequest',
  UNSUPPORTED_MEDIA_TYPE: 'badRequest',
  UNPROCESSABLE_CONTENT: 'malformed',
  PAYLOAD_TOO_LARGE: 'tooLarge',
  TOO_MANY_REQUESTS: 'tooManyConnections',
  SERVICE_UNAVAILABLE: 'unavailable',
}

/** Whatever was thrown, as the one error that callers know. Only what nobody foresaw is `internal`. */
export const asChatError = (error: TRPCError): ChatError => {
  const { cause } = error
  if (cause instanceof ChatError) return cause
  if (cause instanceof ZodError) {
    const issues = cause.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
    const words = issues.map((issue) => (issue.path ? `${issue.path}: ${issue.message}` : issue.message))
    return new ChatError('invalidInput', { message: words.join('; '), issues })
  }
  const kind = kindByCode[error.code]
  // What JSON or superjson throws of a text: it is not well-formed, or too deep for the stack.
  if (kind && (cause instanceof SyntaxError || cause instanceof RangeError))
    return new ChatError('malformed', { cause })
  return kind
    ? new ChatError(kind, { message: error.message, cause: error })
    : new ChatError('internal', { cause: error })
}

const httpStatuses = Object.fromEntries(
  Object.entries(errorCodes).map(([kind, code]) => [kind, getHTTPStatusCodeFromError(new TRPCError({ code }))]),
) as Record<ErrorKind, number>

/** Where no procedure runs: the socket layer knows the codes of tRPC alone, and closes with the one that fits. */
export const throwAsTrpcError = (error: unknown): never => {
  if (!(error instanceof ChatError)) throw error
  throw new TRPCError({ code: errorCodes[error.kind], message: error.message, cause: error })
}

/** The only place that makes a ChatError a tRPC error; it serves calls and streams alike. */
export const formatError = ({ error, path }: { error: TRPCError; path: string | undefined }): ErrorShape => {
  const { kind, message, retryable, retryAfterMs, issues } = withoutStack(() => asChatError(error))
  const code = errorCodes[kind]
  return {
    message,
    code: TRPC_ERROR_CODES_BY_KEY[code],
    data: {
      kind,
      retryable,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(issues && { issues }),
      code,
      httpStatus: httpStatuses[kind],
      ...(path !== undefined && { path }),
    },
  }
}

/** Callers' mistakes are theirs to read; only what nobody foresaw is ours. */
export const logUnforeseen = (log: Log, error: TRPCError, path: string | undefined): void => {
  const { kind } = asChatError(error)
  if (kind === 'internal') log.error({ error: error.cause ?? error, path }, 'a call failed')
  else if (kind === 'unavailable') {
    const last = unserved.get(log) ?? { at: Number.NEGATIVE_INFINITY, more: 0 }
    const now = performance.now()
    if (now - last.at < unservedEveryMs) {
      last.more++
      return
    }
    log.warn({ error: error.cause ?? error, path, alsoSinceLastLine: last.more }, 'a call could not be served')
    unserved.set(log, { at: now, more: 0 })
  }
}

/** While a store is away every call fails: one line in so long, with how many more it stands for. */
const unservedEveryMs = 1_000
const unserved = new WeakMap<Log, { at: number; more: number }>()
