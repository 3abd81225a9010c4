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
  /** All up to this event of the server's was given. */
  moveTo(id: string): void
  /** This message was given. */
  gave(message: Message): void
  /** Changes with versions so far below the cursor's may come again. */
  overlap(versions: number): void
  cursor(): string
}

const separator = ';'

export const createPlace = (start: string | undefined): Place => {
  const [lastEventId, ...given] = start?.split(separator) ?? []
  /** By conversation, the one that was given last at the end. */
  const ahead = new Map<string, { seq: number; version: number }>()
  let id = lastEventId ?? ''
  let newest = 0
  let overlap = 0

  for (const messageId of given) {
    const cut = messageId.lastIndexOf(':')
    const seq = Number(messageId.slice(cut + 1))
    if (cut > 0 && Number.isSafeInteger(seq)) ahead.set(messageId.slice(0, cut), { seq, version: 0 })
  }
  const tops = new Map(Array.from(ahead, ([conversation, { seq }]) => [conversation, seq]))

  return {
    lastEventId,
    tops,
    moveTo(next) {
      id = next
      for (const [conversation, { version }] of ahead) {
        if (version > newest - overlap) break
        ahead.delete(conversation)
      }
    },
    gave({ conversationId, seq, version }) {
      // Those from an earlier run count as given just before.
      if (newest === 0) for (const early of ahead.values()) early.version = version
      newest = Math.max(newest, version)
      ahead.delete(conversationId)
      ahead.set(conversationId, { seq, version })
    },
    overlap(versions) {
      overlap = versions
    },
    cursor() {
      if (ahead.size === 0) return id
      return [id, ...Array.from(ahead, ([conversation, { seq }]) => `${conversation}:${seq}`)].join(separator)
    },
  }
}
