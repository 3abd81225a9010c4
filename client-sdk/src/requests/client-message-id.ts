let made = 0
/** A `clientMessageId`. Ordered by time, which keeps the server's index of them compact; unguessability is not asked of it. */
export const newClientMessageId = (): string => {
  const random = Array.from(crypto.getRandomValues(new Uint32Array(2)), (part) => part.toString(36).padStart(7, '0'))
  return `${Date.now().toString(36)}-${(made++).toString(36)}-${random.join('')}`
}
