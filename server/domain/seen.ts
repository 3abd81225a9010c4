import type { ConversationId, Seq, Version } from '../contract/index.ts'
import { type Changed, versionOf } from './wake-ups.ts'

/** A repeat of a state is harmless, so only so many are remembered; messages are known by their `seq` alone. */
const statesMax = 1_000

/** What one feed has given out, so that it repeats nothing and sees a hole. */
export interface Seen {
  has(change: Changed): boolean
  /** The version to read on from where this message does not follow the one before it; null where it does. */
  holeBefore(change: Changed): Version | null
  /** @param complete whether everything before it was given out as well */
  add(change: Changed, complete: boolean): void
  /** Everything up to this version was given out. */
  reach(version: Version): void
  /** The highest version up to which everything was given out. */
  position(): Version
}

/** @param outOfOrder messages of one conversation may come in any order, so that the first to come may not be the first */
export const createSeen = (start: Version, outOfOrder: boolean): Seen => {
  const newest = new Map<ConversationId, { seq: Seq; version: Version }>()
  const states = new Map<string, Version>()
  let position = start

  const reach = (version: Version) => {
    position = Math.max(position, version)
  }
  return {
    has(change) {
      if (change.type === 'message') {
        return change.message.seq <= (newest.get(change.message.conversationId)?.seq ?? 0)
      }
      return change.receipt.version <= (states.get(stateKey(change)) ?? 0)
    },
    holeBefore(change) {
      if (change.type !== 'message') return null
      const { conversationId, seq } = change.message
      const before = newest.get(conversationId)
      if (!before) return outOfOrder && seq > 1 ? position : null
      return seq > before.seq + 1 ? Math.min(before.version, position) : null
    },
    add(change, complete) {
      if (complete) reach(versionOf(change))
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
    reach,
    position: () => position,
  }
}

const stateKey = ({ receipt }: Extract<Changed, { type: 'receipt' }>) => `${receipt.conversationId} ${receipt.username}`
