import type { ChatError } from '../../../server/contract/chat-error.ts'
import type { Transport } from '../transport/transport.ts'
import { createListeners } from './listeners.ts'

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

type LiveState = Extract<ClientState, { transport: Transport }>

/** There is a connection, and the server has answered on it. */
export const isLive = (state: ClientState): state is LiveState =>
  state.status === 'live' || state.status === 'catchingUp'

/** Tells the listeners of each new state. Enter one as the last step: a listener may do anything, such as close. */
export const createStateOwner = () => {
  let state: ClientState = { status: 'idle' }
  const { listen, tell } = createListeners<ClientState>()
  return {
    get: () => state,
    enter(next: ClientState) {
      state = next
      // Of a state that a listener led to, everybody has been told by now.
      tell(next, () => state === next)
    },
    listen,
  }
}
export type StateOwner = ReturnType<typeof createStateOwner>
