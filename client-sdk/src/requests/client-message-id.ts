/** A `clientMessageId`. Ordered by time, which keeps the server's index of them compact; unguessability is not asked of it. */
export const newClientMessageId = (): string =>
  [Date.now(), ...crypto.getRandomValues(new Uint32Array(2))].map((part) => part.toString(36)).join('-')
