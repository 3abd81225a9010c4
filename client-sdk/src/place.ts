import type { Message } from '../../server/contract/index.ts'

/**
 * The cursor of a loop: the server's own, which says behind which version to go on, and the last messages of those
 * conversations of which more was given than it says, or of which the server may give something again. A program that
 * comes back with it knows what it has had.
 */
export interface Place {
  /** What the server goes on behind. */
  lastEventId: string | undefined
  /** How far each conversation was given out already. */
  tops: Map<string, number>
  /** All up to this event of the server's was given. @param isPresent there is nothing behind it yet */
  moveTo(id: string, isPresent: boolean): void
  /** This message was given. */
  gave(message: Message): void
  /** It is numbered anew. */
  forget(conversationId: string): void
  /** Changes with versions so far below the cursor's may come again. */
  overlap(versions: number): void
  cursor(): string
}

const separator = ';'
/** Its version is not known; when all has been replayed, it has been as well. */
const ofEarlierRun = Number.POSITIVE_INFINITY

/** Up to which version the server has given all, as its own cursor says. */
export const versionOf = (id: string) => Number(/[v.](\d+)$/.exec(id)?.[1] ?? 0)

export const createPlace = (start: string | undefined): Place => {
  const [lastEventId, ...given] = start?.split(separator) ?? []
  const ahead = new Map<string, { seq: number; version: number }>()
  let id = lastEventId ?? ''
  let overlap = 0

  for (const messageId of given) {
    const cut = messageId.lastIndexOf(':')
    const seq = Number(messageId.slice(cut + 1))
    if (cut > 0 && Number.isSafeInteger(seq)) ahead.set(messageId.slice(0, cut), { seq, version: ofEarlierRun })
  }
  const tops = new Map(Array.from(ahead, ([conversation, { seq }]) => [conversation, seq]))

  return {
    lastEventId,
    tops,
    moveTo(next, isPresent) {
      const reached = versionOf(next)
      // A late change comes with an older one, and takes nothing back.
      if (id.startsWith('v') && reached < versionOf(id)) return
      id = next
      for (const [conversation, last] of ahead) {
        if (isPresent && last.version === ofEarlierRun) last.version = reached
        if (last.version <= reached - overlap) ahead.delete(conversation)
      }
    },
    gave({ conversationId, seq, version }) {
      ahead.set(conversationId, { seq, version })
    },
    forget: (conversationId) => ahead.delete(conversationId),
    overlap(versions) {
      overlap = versions
    },
    cursor() {
      if (ahead.size === 0) return id
      return [id, ...Array.from(ahead, ([conversation, { seq }]) => `${conversation}:${seq}`)].join(separator)
    },
  }
}
