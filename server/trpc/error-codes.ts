import type { TRPC_ERROR_CODE_KEY } from '@trpc/server/rpc'
import type { ErrorKind } from '../contract/index.ts'

/** By which code of tRPC, and so by which HTTP status, an error travels. */
export const errorCodes = {
  notSignedIn: 'UNAUTHORIZED',
  sessionEnded: 'UNAUTHORIZED',
  badCredentials: 'UNAUTHORIZED',
  usernameTaken: 'CONFLICT',
  commonPassword: 'BAD_REQUEST',
  unknownUser: 'NOT_FOUND',
  unknownMessage: 'NOT_FOUND',
  notMember: 'FORBIDDEN',
  notAllowed: 'FORBIDDEN',
  messageDeleted: 'CONFLICT',
  editWindowOver: 'FORBIDDEN',
  conflict: 'CONFLICT',
  invalidInput: 'BAD_REQUEST',
  badCursor: 'BAD_REQUEST',
  malformed: 'PARSE_ERROR',
  badRequest: 'BAD_REQUEST',
  unknownProcedure: 'NOT_FOUND',
  tooLarge: 'PAYLOAD_TOO_LARGE',
  rateLimited: 'TOO_MANY_REQUESTS',
  tooManyConnections: 'TOO_MANY_REQUESTS',
  unavailable: 'SERVICE_UNAVAILABLE',
  connectionLost: 'CLIENT_CLOSED_REQUEST',
  timedOut: 'TIMEOUT',
  outboxFull: 'TOO_MANY_REQUESTS',
  notStored: 'INTERNAL_SERVER_ERROR',
  cancelled: 'CLIENT_CLOSED_REQUEST',
  closed: 'CLIENT_CLOSED_REQUEST',
  internal: 'INTERNAL_SERVER_ERROR',
} as const satisfies Record<ErrorKind, TRPC_ERROR_CODE_KEY>
