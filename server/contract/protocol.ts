/**
 * What both ends of a connection agree on besides the schemas. Plain numbers: the SDK takes them into browsers, and the
 * socket layer, which knows nothing of chat, takes them as its defaults.
 */

/** Closes a connection whose session has ended, or that brought a token of no session: the client must sign in again. */
export const sessionEndedCode = 4401

/** Calls in one batch, whether it travels in a frame or in a request. */
export const maxBatch = 20

/** Bytes of a frame of the WebSocket, and of the body of a request: both may carry a full batch of the same calls. */
export const maxFrameBytes = 64 * 1024
