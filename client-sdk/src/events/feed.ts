import { ChatError } from '../../../server/contract/chat-error.ts'
import type { ChatEvent, HistoryPage, Message, Version } from '../../../server/contract/index.ts'
import { asChatError } from '../connection/errors.ts'
import { retry } from '../connection/retry.ts'
import { readCursor } from './cursor.ts'
import { type Arrival, createTimelines, standingOf, type Timeline } from './timeline.ts'

/**
 * The server's store was restored from a backup: of this conversation it has nothing any more of what came after
 * `afterSeq`, and numbers what follows from there.
 */
export interface Rewound {
  type: 'rewound'
  conversationId: string
  afterSeq: number
}

/** An event of `onMessage`, or what this client found out by them, with the cursor behind it. */
export type FeedEvent = (ChatEvent | Rewound) & {
  /** Keep it to go on behind this event after a restart: `events({ cursor })`. */
  cursor: string
}

/** So many states are remembered. Of what is older than these, the same state may be emitted again when it comes again. */
const statesMax = 10_000

export interface FeedOptions {
  /** Where an earlier loop was. */
  cursor: string | undefined
  /** By conversation, what an earlier loop of this client has had though the server may not know it yet. */
  hadUpTo: ReadonlyMap<string, number>
  emit(event: FeedEvent): void
  historyAfter(conversation: string, seq: number): Promise<HistoryPage>
  /** All that was missed has been emitted. */
  onCaughtUp(): void
  /** A gap cannot be filled. */
  fail(error: ChatError): void
  /** Aborted when nobody takes events any more. */
  signal: AbortSignal
}

/**
 * Puts what comes in into one timeline for each conversation: repeats are passed over, and where messages are missing (the
 * server said `reset`, or lost some on the way) they are read from the history first. What changed is known by its id and
 * version. Events of a newer server that this client does not know move the cursor on, and are not emitted.
 */
export const createFeed = ({ cursor, hadUpTo, emit, historyAfter, onCaughtUp, fail, signal }: FeedOptions) => {
  const timelines = createTimelines(cursor, hadUpTo)
  const states = createStates()
  /** While gaps are filled, the cursor stands still: what fills them comes before it. */
  let filling = 0
  /** The id of the `caughtUp` that came while gaps were being filled. */
  let caughtUpAt: string | null = null
  let lastEventId = readCursor(cursor).lastEventId || undefined

  const reach = (id: string | null, isPresent = false) => {
    if (filling === 0 && id !== null) timelines.reach(id, isPresent)
  }
  const emitEvent = (event: ChatEvent | Rewound, id: string | null) => {
    reach(id, event.type === 'caughtUp')
    emit({ ...event, cursor: timelines.cursor() })
  }

  const emitMessage = (timeline: Timeline, message: Message, id: string | null) => {
    states.add(message.id, message.version)
    timelines.extend(timeline, message)
    if (message.seq > timeline.hadUpTo) emitEvent({ type: 'message', message }, id)
    else if (isChanged(message)) emitEvent({ type: 'messageChanged', message }, id)
    else reach(id)
  }
  /** Of a message that was emitted before, a later state. */
  const emitState = (type: Arrival['type'], message: Message, id: string | null) => {
    // Whether an earlier run was given a message in this state, nobody knows.
    const isNew = type === 'messageChanged' || isChanged(message)
    receiveState({ type: 'messageChanged', message }, message.id, message.version, id, isNew)
  }

  /** A message that nothing is missing before. */
  const place = (timeline: Timeline, { type, message }: Pick<Arrival, 'type' | 'message'>, id: string | null) => {
    const standing = standingOf(message, timeline.top)
    if (standing === 'known') return emitState(type, message, id)
    if (standing === 'rewound') {
      const { conversationId } = timeline
      timelines.rewind(timeline, message.seq - 1)
      emitEvent({ type: 'rewound', conversationId, afterSeq: message.seq - 1 }, null)
    }
    emitMessage(timeline, message, id)
  }

  const receiveMessage = (arrival: Arrival) => {
    const { type, message, id } = arrival
    const timeline = timelines.get(message.conversationId)
    if (!timeline) {
      // What changed was emitted to an earlier run.
      if (type === 'messageChanged') return emitState(type, message, id)
      emitMessage(timelines.open(message.conversationId, message.seq - 1), message, id)
    } else if (timeline.held) timeline.held.push(arrival)
    else if (standingOf(message, timeline.top) === 'ahead') void fillGap(timeline, [arrival])
    else place(timeline, arrival, id)
  }

  /** @param from the history is read behind it, but not above what was emitted */
  const fillGap = async (timeline: Timeline, held: Arrival[], from = timeline.top.seq) => {
    timeline.held = held
    filling++
    let after: number | null = from
    const read = async () => {
      for (after = Math.min(after ?? from, timeline.top.seq); after !== null; ) {
        const page: HistoryPage = await historyAfter(timeline.conversationId, after)
        for (const message of page.messages) place(timeline, { type: 'message', message }, null)
        after = page.nextAfter
      }
      const isFilled = held.length === 0 || held.some(({ message }) => message.seq <= timeline.top.seq + 1)
      if (!isFilled) throw new ChatError('unavailable', { message: 'The history is older than what was published.' })
    }
    try {
      await retry(read, { signal })
    } catch (error) {
      if (!signal.aborted) fail(asChatError(error))
      return
    }
    timeline.held = null
    filling--
    for (const arrival of held) receiveMessage(arrival)
    emitCaughtUp()
  }

  const emitCaughtUp = () => {
    if (filling > 0 || caughtUpAt === null) return
    emitEvent({ type: 'caughtUp' }, caughtUpAt)
    caughtUpAt = null
    onCaughtUp()
  }

  /** Each state once. @param isNew where nothing is known of the subject */
  const receiveState = (event: ChatEvent, key: string, version: Version, id: string | null, isNew = true) => {
    if (!(states.isNew(key, version) ?? isNew)) return reach(id)
    states.add(key, version)
    emitEvent(event, id)
  }

  const receiveReady = (event: Extract<ChatEvent, { type: 'ready' }>, id: string) => {
    timelines.overlapBy(event.overlap ?? 0)
    emitEvent(event, id)
    if (event.replay !== 'reset') return
    for (const { conversationId, afterSeq } of event.conversations) {
      const timeline = timelines.get(conversationId) ?? timelines.open(conversationId, afterSeq)
      if (!timeline.held) void fillGap(timeline, [], afterSeq)
    }
  }

  const receiveEvent = (event: ChatEvent, id: string) => {
    switch (event.type) {
      case 'ready':
        return receiveReady(event, id)
      case 'caughtUp':
        caughtUpAt = id
        return emitCaughtUp()
      case 'message':
      case 'messageChanged':
        return receiveMessage({ type: event.type, message: event.message, id })
      case 'receipt': {
        const { conversationId, userId, version } = event.receipt
        return receiveState(event, `receipt ${conversationId} ${userId}`, version, id)
      }
      case 'user':
        return receiveState(event, `user ${event.user.userId}`, event.user.version, id)
      default:
        reach(id)
    }
  }

  return {
    /** The server goes on behind it: what came before it is emitted, or held. */
    lastEventId: (): string | undefined => lastEventId,
    /** @param data of a tracked event */
    receive(data: unknown) {
      const { id, data: event } = data as { id?: unknown; data?: ChatEvent }
      // A newer server may say what has no place in the order of changes.
      if (typeof id !== 'string' || !event) return
      lastEventId = id
      receiveEvent(event, id)
    },
  }
}

/** Its text is not the one that it was sent with. */
const isChanged = ({ editedAt, deletedAt }: Message): boolean => Boolean(editedAt ?? deletedAt)

/** The latest version of each subject that was emitted. */
const createStates = () => {
  const versions = new Map<string, Version>()
  return {
    /** Null: nothing is known of it. */
    isNew(key: string, version: Version): boolean | null {
      const known = versions.get(key)
      return known === undefined ? null : version > known
    },
    add(key: string, version: Version) {
      // Again at the end, so that the oldest ones come first.
      versions.delete(key)
      versions.set(key, version)
      if (versions.size > statesMax) versions.delete(versions.keys().next().value as string)
    },
  }
}
