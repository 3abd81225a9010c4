/**
 * A `clientMessageId`. Ordered by time, which keeps the server's index of them compact; unguessability is not asked of it, but
 * that no other program of this user makes the same in the same millisecond: 64 random bits see to that. Without `crypto`
 * (React Native) they are the engine's own, which each start of a program seeds anew.
 */
export const newClientMessageId = (): string =>
  [Date.now(), randomPart(), randomPart()].map((part) => part.toString(36)).join('-')

const randomPart = (): number =>
  globalThis.crypto?.getRandomValues(new Uint32Array(1))[0] ?? Math.floor(Math.random() * 2 ** 32)
