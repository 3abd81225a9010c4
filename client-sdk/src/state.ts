import type { ChatError } from '../../server/contract/errors.ts'

/** How the client is connected. */
export type ClientState =
  /** Nothing asked for a connection. */
  | { status: 'idle' }
  | { status: 'connecting'; attempt: number }
  | { status: 'live' }
  /** Tries again by itself at `retryAt`. */
  | { status: 'offline'; error: ChatError; retryAt: Date }
  /** The session has ended and no new one could be had; `login` starts again. */
  | { status: 'signedOut'; error: ChatError }
  /** By `close()`, for good. */
  | { status: 'closed' }
