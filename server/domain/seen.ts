import type { ConversationId, Seq, Version } from '../contract/index.ts'
import { type Changed, versionOf } from './wake-ups.ts'

/** A repeat of a state is harmless, so only so many are remembered; messages are known by their `seq` alone. */
const statesMax = 1_000

/** What one feed has given out, so that it repeats nothing and sees a hole. */
export interface Seen {
  has(change: Changed): boolean
  /** The version to read on from where this message does not follow the one before it; null where it does. */
  holeBefore(change: Changed): Version | null
  add(change: Changed): void
  /** The highest version given out. */
  position(): Version
}

export const createSeen = (start: Version): Seen => {
  const newest = new Map<ConversationId, { seq: Seq; version: Version }>()
  const states = new Map<string, Version>()
  let position = start

  return {
    has(change) {
      if (change.type === 'message') {
        return change.message.seq <= (newest.get(change.message.conversationId)?.seq ?? 0)
      }
      return change.receipt.version <= (states.get(stateKey(change)) ?? 0)
    },
    holeBefore(change) {
      if (change.type !== 'message') return null
      const before = newest.get(change.message.conversationId)
      return before && change.message.seq > before.seq + 1 ? before.version : null
    },
    add(change) {
      position = Math.max(position, versionOf(change))
      if (change.type === 'message') {
        const { conversationId, seq, version } = change.message
        newest.set(conversationId, { seq, version })
        return
      }
      const key = stateKey(change)
      states.delete(key)
      states.set(key, change.receipt.version)
      if (states.size > statesMax) states.delete(states.keys().next().value as string)
    },
    position: () => position,
  }
}

const stateKey = ({ receipt }: Extract<Changed, { type: 'receipt' }>) => `${receipt.conversationId} ${receipt.username}`
