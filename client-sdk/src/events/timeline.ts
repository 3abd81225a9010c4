import type { Message, Version } from '../../../server/contract/index.ts'
import { readCursor, type Top, writeCursor } from './cursor.ts'

/** What a message is to a conversation of which everything up to `top` has come. */
export type Standing =
  | 'next'
  /** Others are missing before it. */
  | 'ahead'
  /** It has come before, in this state or another. */
  | 'known'
  /** The server's store was restored from a backup, and gives out numbers anew. */
  | 'rewound'

/** Within a conversation times rise with `seq`: an earlier number with a later time is no repeat. */
export const standingOf = ({ seq, sentAt }: Pick<Message, 'seq' | 'sentAt'>, top: Top): Standing => {
  if (seq > top.seq) return seq === top.seq + 1 ? 'next' : 'ahead'
  return top.sentAt && sentAt > top.sentAt ? 'rewound' : 'known'
}

/** A message as the server published it: as a new one, or as one that has changed. */
export interface Arrival {
  type: 'message' | 'messageChanged'
  message: Message
  /** The cursor of its event. */
  id: string
}

/** What has come of one conversation to one loop. */
export interface Timeline {
  readonly conversationId: string
  /** Everything up to here was emitted. */
  top: Top
  /** The version of the newest message; infinite while only an earlier run knows it. */
  version: Version
  /** An earlier loop of this client has had everything up to here. */
  hadUpTo: number
  /** What came while a gap before it is being filled; null: none is. */
  held: Arrival[] | null
}

/** Its version is not known; once everything was replayed, it has been as well. */
const ofEarlierRun = Number.POSITIVE_INFINITY

/** The version up to which the server has emitted everything, as its own cursor says. */
const versionOf = (id: string): Version => Number(/[v.](\d+)$/.exec(id)?.[1] ?? 0)

/**
 * The timelines of one loop, and the cursor that follows from them.
 * @param start a cursor of an earlier loop
 * @param hadUpTo by conversation, what an earlier loop of this client has had though the server may not know it yet
 */
export const createTimelines = (start: string | undefined, hadUpTo: ReadonlyMap<string, number>) => {
  const all = new Map<string, Timeline>()
  /** Those of which more was emitted than the server's cursor says, or of which the server may emit something again. */
  const ahead = new Map<string, Timeline>()
  const earlier = readCursor(start)
  let { lastEventId } = earlier
  let overlap = 0

  const open = (conversationId: string, top: Top, version: Version): Timeline => {
    const timeline = { conversationId, top, version, hadUpTo: hadUpTo.get(conversationId) ?? 0, held: null }
    all.set(conversationId, timeline)
    return timeline
  }
  for (const [conversationId, top] of earlier.tops) {
    ahead.set(conversationId, open(conversationId, top, ofEarlierRun))
  }

  return {
    get: (conversationId: string): Timeline | undefined => all.get(conversationId),
    /** A conversation of which nothing after this number has come. */
    open: (conversationId: string, afterSeq: number) => open(conversationId, { seq: afterSeq, sentAt: null }, 0),
    /** It has a new newest message. */
    extend(timeline: Timeline, message: Message) {
      timeline.top = message
      timeline.version = message.version
      ahead.set(timeline.conversationId, timeline)
    },
    /** The server has nothing any more of what came after this number. */
    rewind(timeline: Timeline, afterSeq: number) {
      timeline.top = { seq: afterSeq, sentAt: null }
      timeline.hadUpTo = 0
      ahead.delete(timeline.conversationId)
    },
    /** Everything up to this event of the server's was emitted. @param isPresent nothing stands behind it yet */
    reach(id: string, isPresent: boolean) {
      const reached = versionOf(id)
      // A late commit comes with an older cursor, and takes nothing back.
      if (lastEventId.startsWith('v') && reached < versionOf(lastEventId)) return
      lastEventId = id
      for (const timeline of ahead.values()) {
        // All of it was replayed by now.
        if (isPresent && timeline.version === ofEarlierRun) timeline.version = reached
        if (timeline.version < reached - overlap) ahead.delete(timeline.conversationId)
      }
    },
    /** Changes with versions so far below the cursor's may come again. */
    overlapBy(versions: number) {
      overlap = versions
    },
    cursor: (): string => writeCursor({ lastEventId, tops: new Map(Array.from(ahead, ([id, { top }]) => [id, top])) }),
  }
}
export type Timelines = ReturnType<typeof createTimelines>
