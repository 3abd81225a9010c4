// What the server and the SDK have in common of errors. The SDK takes it into browsers: words that only a server says are not
// in here, and come over the wire.

/** Every error a caller can meet, once, and whether the same call may succeed later. */
export const errorKinds = {
  notSignedIn: false,
  sessionEnded: false,
  badCredentials: false,
  usernameTaken: false,
  commonPassword: false,
  unknownUser: false,
  unknownMessage: false,
  notMember: false,
  notAllowed: false,
  messageDeleted: false,
  editWindowOver: false,
  conflict: false,
  invalidInput: false,
  badCursor: false,
  malformed: false,
  badRequest: false,
  unknownProcedure: false,
  tooLarge: false,
  rateLimited: true,
  tooManyConnections: true,
  unavailable: true,
  // These come from the SDK itself.
  connectionLost: true,
  timedOut: true,
  outboxFull: true,
  notStored: true,
  cancelled: false,
  closed: false,
  internal: true,
}

export type ErrorKind = keyof typeof errorKinds

/** Of the kinds that the SDK throws without words of its own. */
export const sdkErrorWords = {
  notSignedIn: 'Sign in first: call register or login.',
  sessionEnded: 'This session has ended; sign in again.',
  unknownMessage: 'There is no such message in your conversations.',
  notAllowed: 'Only its sender may change this message.',
  messageDeleted: 'This message was deleted.',
  tooLarge: 'The request is too large.',
  connectionLost: 'The connection was lost before the answer came; the call may have been carried out.',
  timedOut: 'No answer came in time; the call may have been carried out.',
  outboxFull: 'Too many messages wait to be sent; wait until some have left.',
  notStored: 'The outbox could not keep this message, and did not send it.',
  cancelled: 'This message was taken out of the outbox.',
  closed: 'This client was closed.',
  internal: 'Something went wrong on the server.',
}
const words: Partial<Record<ErrorKind, string>> = sdkErrorWords

/** What an error says of itself in tRPC's `error.data`. */
export interface ErrorFacts {
  kind: ErrorKind
  retryable: boolean
  /** Milliseconds after which the same call can succeed; given for limits. */
  retryAfterMs?: number
  /** For `invalidInput`: what does not fit, by path. */
  issues?: { path: string; message: string }[]
}

/** Thrown by the rules on the server and by the SDK in the client: one error, by its kind. */
export class ChatError extends Error implements ErrorFacts {
  override readonly name = 'ChatError'
  declare readonly kind: ErrorKind
  declare readonly retryable: boolean
  declare readonly retryAfterMs?: number
  declare readonly issues?: { path: string; message: string }[]

  constructor(kind: ErrorKind, facts: Partial<Omit<ErrorFacts, 'kind'>> & { message?: string; cause?: unknown } = {}) {
    const { message = words[kind] ?? kind, cause, retryable = errorKinds[kind], retryAfterMs, issues } = facts
    super(message, { cause })
    this.kind = kind
    this.retryable = retryable
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs
    if (issues) this.issues = issues
  }
}
