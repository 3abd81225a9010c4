import { ChatError, type ErrorKind } from '../connection/errors.ts'

/** What a script can tell from the exit code alone. */
export const exitCodes = {
  ok: { code: 0, means: 'done' },
  unexpected: { code: 1, means: 'something unexpected went wrong' },
  usage: { code: 2, means: 'the command was called wrongly; nothing was sent' },
  signIn: { code: 3, means: 'not signed in, the session has ended, or the username or password is wrong' },
  refused: { code: 4, means: 'the server refuses it: not found, not a member, in conflict, or not valid' },
  later: { code: 5, means: 'try again later: no network, a limit, or the server is unavailable' },
} as const

/** The command was called wrongly. The message never repeats what was given: that might be a password. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const signInKinds: ErrorKind[] = ['notSignedIn', 'sessionEnded', 'badCredentials']
/** `closed` is this program's own fault, and `internal` that of a server which says that a repeat is of no use. */
const unexpectedKinds: ErrorKind[] = ['closed', 'internal']

export const exitCodeOf = (error: unknown): number => {
  if (error instanceof UsageError) return exitCodes.usage.code
  if (!(error instanceof ChatError)) return exitCodes.unexpected.code
  if (signInKinds.includes(error.kind)) return exitCodes.signIn.code
  if (error.retryable) return exitCodes.later.code
  return unexpectedKinds.includes(error.kind) ? exitCodes.unexpected.code : exitCodes.refused.code
}
