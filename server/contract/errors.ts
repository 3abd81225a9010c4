/**
 * Every error a caller can meet, once; those from `connectionLost` to `closed` come from the SDK itself. Each with whether
 * the same call may succeed later, and its words.
 * `retryable` errors of limits carry `retryAfterMs`.
 */
export const errorKinds = {
  notSignedIn: { retryable: false, message: 'Sign in first: call register or login.' },
  sessionEnded: { retryable: false, message: 'This session has ended; sign in again.' },
  badCredentials: { retryable: false, message: 'The username or the password is wrong.' },
  usernameTaken: { retryable: false, message: 'This username is taken.' },
  commonPassword: { retryable: false, message: 'This password is too common; choose another.' },
  unknownUser: { retryable: false, message: 'There is no user with this id.' },
  unknownMessage: { retryable: false, message: 'There is no such message in your conversations.' },
  notMember: { retryable: false, message: 'You are not a member of this conversation.' },
  notAllowed: { retryable: false, message: 'Only its sender may change this message.' },
  messageDeleted: { retryable: false, message: 'This message was deleted.' },
  editWindowOver: { retryable: false, message: 'This message is too old to be edited.' },
  conflict: {
    retryable: false,
    message: 'This clientMessageId or this revision was used before, with other content.',
  },
  invalidInput: { retryable: false, message: 'The input does not fit the procedure.' },
  badCursor: { retryable: false, message: 'This cursor was not given out by this server.' },
  malformed: { retryable: false, message: 'The request is not well-formed.' },
  badRequest: { retryable: false, message: 'The request cannot be served as it is.' },
  unknownProcedure: { retryable: false, message: 'There is no such procedure.' },
  tooLarge: { retryable: false, message: 'The request is too large.' },
  rateLimited: { retryable: true, message: 'Too many requests; wait and try again.' },
  tooManyConnections: {
    retryable: true,
    message: 'Too many connections or subscriptions are open.',
  },
  unavailable: {
    retryable: true,
    message: 'The server cannot do this at the moment; try again.',
  },
  connectionLost: {
    retryable: true,
    message: 'The connection was lost before the answer came; the call may have been carried out.',
  },
  timedOut: {
    retryable: true,
    message: 'No answer came in time; the call may have been carried out.',
  },
  outboxFull: {
    retryable: true,
    message: 'Too many messages wait to be sent; wait until some have left.',
  },
  notStored: {
    retryable: true,
    message: 'The outbox could not keep this message, and did not send it.',
  },
  cancelled: { retryable: false, message: 'This message was taken out of the outbox.' },
  closed: { retryable: false, message: 'This client was closed.' },
  internal: { retryable: true, message: 'Something went wrong on the server.' },
} as const satisfies Record<string, { retryable: boolean; message: string }>

export type ErrorKind = keyof typeof errorKinds

/** What an error says of itself in tRPC's `error.data`. */
export interface ErrorFacts {
  kind: ErrorKind
  retryable: boolean
  /** Milliseconds after which the same call can succeed; given for limits. */
  retryAfterMs?: number
  /** For `invalidInput`: what does not fit, by path. */
  issues?: { path: string; message: string }[]
}

/** What a `conflict` says of an edit. */
export const editConflictWords = 'This message was edited meanwhile; look at it again and edit that.'

/** Thrown by the rules on the server and by the SDK in the client: one error, by its kind. */
export class ChatError extends Error implements ErrorFacts {
  override readonly name = 'ChatError'
  readonly kind: ErrorKind
  readonly retryable: boolean
  readonly retryAfterMs?: number
  readonly issues?: { path: string; message: string }[]

  constructor(kind: ErrorKind, facts: Partial<Omit<ErrorFacts, 'kind'>> & { message?: string; cause?: unknown } = {}) {
    super(facts.message ?? errorKinds[kind].message, { cause: facts.cause })
    this.kind = kind
    this.retryable = facts.retryable ?? errorKinds[kind].retryable
    if (facts.retryAfterMs !== undefined) this.retryAfterMs = facts.retryAfterMs
    if (facts.issues !== undefined) this.issues = facts.issues
  }
}
