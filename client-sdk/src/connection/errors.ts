import { ChatError, type ErrorKind, errorKinds } from '../../../server/contract/chat-error.ts'
import type { ErrorShape } from '../../../server/trpc/errors.ts'

export { ChatError, type ErrorFacts, type ErrorKind } from '../../../server/contract/chat-error.ts'

/** An error as it came over the wire. A kind that this version does not know counts as `internal`, with its words. */
export const fromErrorShape = ({ message, data }: ErrorShape): ChatError => {
  const kind: ErrorKind = data && Object.hasOwn(errorKinds, data.kind) ? data.kind : 'internal'
  return new ChatError(kind, { ...data, message })
}

/** What it says, whatever was thrown. */
export const wordsOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** Whatever was thrown where only ours should be. */
export const asChatError = (cause: unknown): ChatError =>
  cause instanceof ChatError ? cause : new ChatError('internal', { cause })

/**
 * The same error made anew. Errors are made where a frame came in, and one may end many calls: made again inside the
 * async function that the caller waits for, each has the line of its caller in its stack.
 */
export const asThrownHere = (error: unknown): unknown =>
  error instanceof ChatError ? new ChatError(error.kind, error) : error
