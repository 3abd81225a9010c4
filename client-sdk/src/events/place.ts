import type { Message } from '../../../server/contract/index.ts'

/** How far a conversation was given out: the newest message; `sentAt` is null where an older cursor does not say it. */
export interface Top {
  seq: number
  sentAt: Date | null
}

/**
 * The cursor of a loop: the server's own, which says behind which version to go on, and the last messages of those
 * conversations of which more was given than it says, or of which the server may give something again. A program that
 * comes back with it knows what it has had.
 */
export interface Place {
  /** What the server goes on behind. */
  lastEventId: string | undefined
  /** How far each conversation was given out already. */
  tops: Map<string, Top>
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
const versionOf = (id: string) => Number(/[v.](\d+)$/.exec(id)?.[1] ?? 0)

/** `<conversationId>:<seq>@<time>`, the time in milliseconds since 1970, in base 36. Older cursors have no time. */
const writeTop = (conversationId: string, { seq, sentAt }: Top): string =>
  `${conversationId}:${seq}${sentAt ? `@${sentAt.getTime().toString(36)}` : ''}`

const readTop = (text: string): [conversationId: string, top: Top] | null => {
  // The ids of users may hold all of these but colons.
  const [, conversationId = '', seq = '', time] = /^(.+):(\d{1,15})(?:@([0-9a-z]{1,10}))?$/.exec(text) ?? []
  if (conversationId === '') return null
  return [conversationId, { seq: Number(seq), sentAt: time === undefined ? null : new Date(parseInt(time, 36)) }]
}

export const createPlace = (start: string | undefined): Place => {
  const [lastEventId, ...given] = start?.split(separator) ?? []
  const tops = new Map(given.map(readTop).filter((top) => top !== null))
  const ahead = new Map<string, Top & { version: number }>()
  let id = lastEventId ?? ''
  let overlap = 0

  for (const [conversationId, top] of tops) ahead.set(conversationId, { ...top, version: ofEarlierRun })

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
    gave({ conversationId, seq, sentAt, version }) {
      ahead.set(conversationId, { seq, sentAt, version })
    },
    forget: (conversationId) => ahead.delete(conversationId),
    overlap(versions) {
      overlap = versions
    },
    cursor: () => [id, ...Array.from(ahead, ([conversationId, top]) => writeTop(conversationId, top))].join(separator),
  }
}
