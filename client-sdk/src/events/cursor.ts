/** The newest message of a conversation that has come; `sentAt` is null where an older cursor does not say it. */
export interface Top {
  seq: number
  sentAt: Date | null
}

/**
 * The cursor of a loop: the server's own, which says behind which version to go on, and the newest messages of those
 * conversations of which the loop has emitted more than that says. A program that comes back with it knows what it has had.
 */
export interface Cursor {
  /** What the server goes on behind; empty: a loop that begins. */
  lastEventId: string
  tops: ReadonlyMap<string, Top>
}

const separator = ';'

export const readCursor = (text: string | undefined): Cursor => {
  const [lastEventId = '', ...tops] = text?.split(separator) ?? []
  return { lastEventId, tops: new Map(tops.flatMap(readTop)) }
}

export const writeCursor = ({ lastEventId, tops }: Cursor): string =>
  [lastEventId, ...Array.from(tops, ([conversationId, top]) => writeTop(conversationId, top))].join(separator)

/** `<conversationId>:<seq>@<time>`, the time in milliseconds since 1970, in base 36. Older cursors have no time. */
const writeTop = (conversationId: string, { seq, sentAt }: Top): string =>
  `${conversationId}:${seq}${sentAt ? `@${sentAt.getTime().toString(36)}` : ''}`

const readTop = (text: string): [conversationId: string, top: Top][] => {
  // User ids may hold all of these but colons.
  const [, conversationId = '', seq = '', time] = /^(.+):(\d{1,15})(?:@([0-9a-z]{1,10}))?$/.exec(text) ?? []
  if (conversationId === '') return []
  return [[conversationId, { seq: Number(seq), sentAt: time === undefined ? null : new Date(parseInt(time, 36)) }]]
}
