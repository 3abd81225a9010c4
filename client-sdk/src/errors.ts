import { ChatError, type ErrorKind, errorKinds } from '../../server/contract/errors.ts'
import type { ErrorShape } from '../../server/trpc/errors.ts'

export { ChatError, type ErrorFacts, type ErrorKind } from '../../server/contract/errors.ts'

/** An error as it came over the wire. A kind that this version does not know counts as `internal`, with its words. */
export const fromErrorShape = ({ message, data }: ErrorShape): ChatError => {
  const kind: ErrorKind = data?.kind in errorKinds ? data.kind : 'internal'
  return new ChatError(kind, {
    message,
    retryable: data?.retryable ?? errorKinds[kind].retryable,
    ...(data?.retryAfterMs !== undefined && { retryAfterMs: data.retryAfterMs }),
    ...(data?.issues && { issues: data.issues }),
  })
}
