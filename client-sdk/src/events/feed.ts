import { ChatError } from '../../../server/contract/errors.ts'
import type { ChatEvent, HistoryPage, Message, Version } from '../../../server/contract/index.ts'
import { backoffMs } from '../connection/backoff.ts'
import { pause } from '../connection/pause.ts'
import type { Place, Top } from './place.ts'
import { isPutBack } from './put-back.ts'

/**
 * The server's store was put back to an earlier state, as from a backup: of this conversation it has nothing any more of
 * what came after `afterSeq`, and numbers what follows from there.
 */
export interface PutBack {
  type: 'putBack'
  conversationId: string
  afterSeq: number
}

/** An event of `onMessage`, or what this client found out by them, with the place behind it. */
export type FeedEvent = (ChatEvent | PutBack) & {
  /** Keep it to go on behind this event after a restart: `events({ cursor })`. */
  cursor: string
}

interface Line {
  /** Everything up to here was given out. Null at 0. */
  top: Top
  /** What came while a hole before it is being filled. */
  held: Arrival[] | null
}
const newLine = (top: Top): Line => ({ top, held: null })
/** Nothing is missing before one of these. */
const isReached = ({ top }: Line, held: Arrival[]) =>
  held.length === 0 || held.some(({ message }) => message.seq <= top.seq + 1)

/** A message as the server told of it: as a new one, or as one that has changed. */
interface Arrival {
  type: 'message' | 'messageChanged'
  message: Message
  id: string
}

/** So many states are remembered. Of what is older than these, the same state may be given again when it comes again. */
const statesMax = 10_000

export interface FeedOptions {
  place: Place
  give(event: FeedEvent): void
  historyAfter(conversation: string, seq: number): Promise<HistoryPage>
  /** All that was missed has been given. */
  onCaughtUp(): void
  /** A hole cannot be filled. */
  fail(error: ChatError): void
  /** Aborted when nobody takes events any more. */
  signal: AbortSignal
}

/**
 * Puts what comes in into one line for each conversation: repeats are passed over, and where messages are missing (the
 * server said `reset`, or lost some on the way) they are read from the history first. What changed is known by its id and
 * version. Events of a newer server that this client does not know move the place on, and are not given out.
 */
export const createFeed = ({ place, give, historyAfter, onCaughtUp, fail, signal }: FeedOptions) => {
  const lines = new Map(Array.from(place.tops, ([id, top]) => [id, newLine(top)]))
  const states = createStates()
  /** While holes are filled, the place stands still: what fills them comes before it. */
  let filling = 0
  /** The id of the `caughtUp` that came while holes were being filled. */
  let caughtUpAt: string | null = null

  const move = (id: string | null, isPresent = false) => {
    if (filling === 0 && id !== null) place.moveTo(id, isPresent)
  }
  const giveEvent = (event: ChatEvent | PutBack, id: string | null) => {
    if (event.type === 'message') place.gave(event.message)
    move(id, event.type === 'caughtUp')
    give({ ...event, cursor: place.cursor() })
  }

  const giveMessage = (line: Line, message: Message, id: string | null) => {
    line.top = message
    states.add(message.id, message.version)
    giveEvent({ type: 'message', message }, id)
  }
  /** A message that was given before: its state is passed over unless it is a later one. */
  const giveState = (type: Arrival['type'], message: Message, id: string | null) => {
    // Whether an earlier run was given a message in this state, nobody knows.
    const isNew = states.isNew(message.id, message.version) ?? (type === 'messageChanged' || isChanged(message))
    if (!isNew) return move(id)
    states.add(message.id, message.version)
    giveEvent({ type: 'messageChanged', message }, id)
  }

  const takePutBack = (line: Line, message: Message): boolean => {
    const { seq, sentAt } = line.top
    if (sentAt === null || !isPutBack({ seq, sentAt }, message)) return false
    line.top = { seq: message.seq - 1, sentAt: null }
    place.forget(message.conversationId)
    giveEvent({ type: 'putBack', conversationId: message.conversationId, afterSeq: line.top.seq }, null)
    return true
  }

  /** @param from the history is read behind it, but not above what was given */
  const fill = async (conversationId: string, line: Line, held: Arrival[], from = line.top.seq) => {
    line.held = held
    filling++
    let after: number | null = Math.min(from, line.top.seq)
    for (let failures = 0; after !== null && !signal.aborted; ) {
      try {
        const page = await historyAfter(conversationId, after)
        for (const message of page.messages) {
          if (message.seq > line.top.seq || takePutBack(line, message)) giveMessage(line, message, null)
          else giveState('message', message, null)
        }
        after = page.nextAfter
        // The history is older than what was told, and has it soon.
        if (after === null && !isReached(line, held)) {
          after = line.top.seq
          await pause(backoffMs(++failures, null), signal)
        }
      } catch (error) {
        if (signal.aborted) break
        if (!(error instanceof ChatError && error.retryable)) return fail(error as ChatError)
        await pause(backoffMs(++failures, error), signal)
      }
    }
    if (signal.aborted) return
    line.held = null
    filling--
    for (const arrival of held) takeMessage(arrival)
    tellCaughtUp()
  }

  const takeMessage = (arrival: Arrival) => {
    const { type, message, id } = arrival
    const { conversationId, seq } = message
    const line = lines.get(conversationId)
    if (!line) {
      // What changed was given to an earlier run.
      if (type === 'messageChanged') return giveState(type, message, id)
      const opened = newLine(message)
      lines.set(conversationId, opened)
      giveMessage(opened, message, id)
    } else if (line.held) line.held.push(arrival)
    else if (seq === line.top.seq + 1 || takePutBack(line, message)) giveMessage(line, message, id)
    else if (seq > line.top.seq) void fill(conversationId, line, [arrival])
    else giveState(type, message, id)
  }

  const tellCaughtUp = () => {
    if (filling > 0 || caughtUpAt === null) return
    giveEvent({ type: 'caughtUp' }, caughtUpAt)
    caughtUpAt = null
    onCaughtUp()
  }

  /** Receipts and profiles: each state once. */
  const takeState = (event: ChatEvent, key: string, version: Version, id: string) => {
    if (states.isNew(key, version) === false) return move(id)
    states.add(key, version)
    giveEvent(event, id)
  }

  const takeReady = (event: Extract<ChatEvent, { type: 'ready' }>, id: string) => {
    place.overlap(event.overlap ?? 0)
    giveEvent(event, id)
    if (event.replay !== 'reset') return
    for (const { conversationId, afterSeq } of event.conversations) {
      const line = lines.get(conversationId) ?? newLine({ seq: afterSeq, sentAt: null })
      lines.set(conversationId, line)
      if (!line.held) void fill(conversationId, line, [], afterSeq)
    }
  }

  return {
    take(event: ChatEvent, id: string) {
      switch (event.type) {
        case 'ready':
          return takeReady(event, id)
        case 'caughtUp':
          caughtUpAt = id
          return tellCaughtUp()
        case 'message':
        case 'messageChanged':
          return takeMessage({ type: event.type, message: event.message, id })
        case 'receipt': {
          const { conversationId, userId, version } = event.receipt
          return takeState(event, `receipt ${conversationId} ${userId}`, version, id)
        }
        case 'user':
          return takeState(event, `user ${event.user.userId}`, event.user.version, id)
        default:
          move(id)
      }
    },
  }
}

/** Its text is not the one that it was sent with. */
export const isChanged = ({ editedAt, deletedAt }: Message): boolean => Boolean(editedAt ?? deletedAt)

/** The latest version of each subject that was given out. */
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
