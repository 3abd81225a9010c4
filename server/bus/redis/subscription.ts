import type { RedisConnections } from './connections.ts'

/** Listens to the channel, and does so again each time the connection comes back. */
export const createSubscription = ({
  name,
  subscriber,
  onText,
  onOpen,
  onLost,
}: {
  /** Of the channel in Redis. */
  name: string
  subscriber: RedisConnections['subscriber']
  onText(text: string): void
  /** From now on all is heard; whatever was said before may have been missed. */
  onOpen(): void
  onLost(): void
}) => {
  let isOpen = false

  const open = async () => {
    await subscriber.subscribe(name)
    isOpen = true
    onOpen()
  }
  const reopen = () => void open().catch(() => {}) // The connection is gone again, and will come again.
  const lose = () => {
    isOpen = false
    onLost()
  }
  subscriber.on('message', (_channel, text) => onText(text))

  return {
    isOpen: () => isOpen,
    /** For the first time. @throws what Redis says */
    open,
    /** From here on it comes back by itself. */
    keep() {
      subscriber.on('ready', reopen)
      subscriber.on('close', lose)
    },
    /** What comes is still heard, until the connection closes. */
    stop() {
      subscriber.off('ready', reopen)
      subscriber.off('close', lose)
    },
  }
}
