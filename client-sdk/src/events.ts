import type { ChatEvent } from '../../server/contract/index.ts'

/** Knows what a feed has given out, so that a repeat after a resume is passed over. */
export const createSeen = () => {
  const newest = new Map<string, number>()
  const receipts = new Map<string, number>()

  return (event: ChatEvent): boolean => {
    if (event.type === 'message') return isOlder(newest, event.message.conversationId, event.message.seq)
    if (event.type !== 'receipt') return false
    const { conversationId, username, version } = event.receipt
    return isOlder(receipts, `${conversationId} ${username}`, version)
  }
}

/** Remembers the highest number; @returns whether this one was reached before. */
const isOlder = (highest: Map<string, number>, key: string, number: number): boolean => {
  if (number <= (highest.get(key) ?? 0)) return true
  highest.set(key, number)
  return false
}

/** An event of `onMessage`, with the place behind it. */
export type FeedEvent = ChatEvent & {
  /** Keep it to go on behind this event after a restart: `events({ cursor })`. */
  cursor: string
}
