import type { ChatError } from '../../../server/contract/errors.ts'
import type { Transport } from '../transport/transport.ts'

/** How the client is connected. */
export type ClientState =
  /** Nothing asked for a connection. */
  | { status: 'idle' }
  /** From asking for the token to the server's first answer. */
  | { status: 'connecting'; attempt: number }
  /** As `live`, while what was missed is still coming in: a loop over messages is not at the present yet. */
  | { status: 'catchingUp'; transport: Transport }
  /**
   * The server has let this client in, with its session if it has one, and has answered on this connection. The transport is
   * plain `http` where WebSockets are blocked.
   */
  | { status: 'live'; transport: Transport }
  /** Tries again by itself at `retryAt`. */
  | { status: 'offline'; error: ChatError; retryAt: Date }
  /** The session has ended and no good one could be had; `login` starts again. */
  | { status: 'signedOut'; error: ChatError }
  /** By `close()`, for good. */
  | { status: 'closed' }

/** Tells the listeners of each new state. Enter one as the last step: a listener may do anything, such as close. */
export const createStateOwner = () => {
  let state: ClientState = { status: 'idle' }
  const listeners = new Set<(state: ClientState) => void>()
  return {
    get: () => state,
    enter(next: ClientState) {
      state = next
      for (const listener of listeners) {
        // A listener before this one led to another state, which everybody has been told of by now.
        if (state !== next) return
        try {
          listener(next)
        } catch (error) {
          // The listener's fault must be seen, and must not stop the connection.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    },
    listen(listener: (state: ClientState) => void): () => void {
      // A function of its own: the same listener may be given twice.
      const own = (next: ClientState) => listener(next)
      listeners.add(own)
      return () => listeners.delete(own)
    },
  }
}
export type StateOwner = ReturnType<typeof createStateOwner>
