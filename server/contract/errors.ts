import { type ErrorKind, sdkErrorWords, ChatError as WithOwnWords } from './chat-error.ts'

export { type ErrorFacts, type ErrorKind, errorKinds } from './chat-error.ts'

/** What each kind says where nothing more is known. */
export const errorWords: Record<ErrorKind, string> = {
  ...sdkErrorWords,
  badCredentials: 'The username or the password is wrong.',
  usernameTaken: 'This username is taken.',
  commonPassword: 'This password is too common; choose another.',
  unknownUser: 'There is no user with this id.',
  notMember: 'You are not a member of this conversation.',
  editWindowOver: 'This message is too old to be edited.',
  conflict: 'This clientMessageId or this revision was used before, with other content.',
  invalidInput: 'The input does not fit the procedure.',
  badCursor: 'This cursor was not given out by this server.',
  malformed: 'The request is not well-formed.',
  badRequest: 'The request cannot be served as it is.',
  unknownProcedure: 'There is no such procedure.',
  rateLimited: 'Too many requests; wait and try again.',
  tooManyConnections: 'Too many connections or subscriptions are open.',
  unavailable: 'The server cannot do this at the moment; try again.',
}

/** What a `conflict` says of an edit. */
export const editConflictWords = 'This message was edited meanwhile; look at it again and edit that.'

/** The error as the server throws it: it has words for every kind. */
export class ChatError extends WithOwnWords {
  constructor(kind: ErrorKind, facts: ConstructorParameters<typeof WithOwnWords>[1] = {}) {
    super(kind, { ...facts, message: facts.message ?? errorWords[kind] })
  }
}
