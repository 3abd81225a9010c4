import type { ConversationId, Seq, Version } from '../../contract/index.ts'
import { stateOf } from '../changes.ts'
import type { Change } from '../ports.ts'

/** A repeat of a state is harmless, so only so many are remembered; new messages are known by their `seq` alone. */
const statesMax = 1_000

/** What one feed has given out, so that it repeats nothing and sees a hole. */
export interface Given {
  /** What is new of this change: the change itself, or only the later state of a message that was given, or nothing. */
  newsOf(change: Change): Change | null
  /** The version to read on from where this change does not follow what was given; null where it does. */
  holeBefore(change: Change): Version | null
  /** @param complete whether everything before it was given out as well */
  add(change: Change, complete: boolean): void
  /** Everything up to this version was given out. */
  reach(version: Version): void
  /** The highest version up to which everything was given out. */
  position(): Version
}

/** @param outOfOrder messages of one conversation may come in any order, so that the first to come may not be the first */
export const createGiven = (start: Version, outOfOrder: boolean): Given => {
  const newest = new Map<ConversationId, { seq: Seq; version: Version }>()
  const states = new Map<string, Version>()
  let position = start

  const reach = (version: Version) => {
    position = Math.max(position, version)
  }
  const hasState = (change: Change) => stateOf(change).version <= (states.get(stateOf(change).key) ?? 0)
  const addState = (change: Change) => {
    const { key, version } = stateOf(change)
    states.delete(key)
    states.set(key, version)
    if (states.size > statesMax) states.delete(states.keys().next().value as string)
  }
  return {
    newsOf(change) {
      if (change.kind !== 'message') return hasState(change) ? null : change
      const { seq, version } = change.message
      if (seq > (newest.get(change.conversationId)?.seq ?? 0)) return change
      const isChanged = version > change.version
      return isChanged && !hasState(change) ? { ...change, kind: 'messageChanged', version } : null
    },
    holeBefore(change) {
      if (change.kind !== 'message' && change.kind !== 'messageChanged') return null
      const { seq } = change.message
      const before = newest.get(change.conversationId)
      if (!before) return outOfOrder && (seq > 1 || change.kind === 'messageChanged') ? position : null
      // A changed message that was never given is missing itself.
      const last = change.kind === 'message' ? before.seq + 1 : before.seq
      return seq > last ? Math.min(before.version, position) : null
    },
    add(change, complete) {
      if (complete) reach(change.version)
      if (change.kind !== 'message') return addState(change)
      const { seq, version } = change.message
      newest.set(change.conversationId, { seq, version: change.version })
      if (version > change.version) addState(change)
    },
    reach,
    position: () => position,
  }
}
