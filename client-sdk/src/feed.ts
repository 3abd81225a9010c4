import { ChatError } from '../../server/contract/errors.ts'
import type { ChatEvent, HistoryPage, Message, Receipt } from '../../server/contract/index.ts'
import { backoffMs } from './backoff.ts'
import { pause } from './pause.ts'
import { type Place, versionOf } from './place.ts'
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
  /** Everything up to here was given out. */
  top: number
  /** When the message at `top` was sent; null: an earlier run was given it. */
  sentAt: Date | null
  /** Of those, where no version is above this one. */
  versionMax: number
  /** What came while a hole before it is being filled. */
  held: Arrival[] | null
}
const newLine = (top: number): Line => ({ top, sentAt: null, versionMax: Number.POSITIVE_INFINITY, held: null })
/** Nothing is missing before one of these. */
const isReached = ({ top }: Line, held: Arrival[]) =>
  held.length === 0 || held.some(({ message }) => message.seq <= top + 1)
type Arrival = { message: Message; id: string }

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
 * server said `reset`, or lost some on the way) they are read from the history first.
 */
export const createFeed = ({ place, give, historyAfter, onCaughtUp, fail, signal }: FeedOptions) => {
  const lines = new Map(Array.from(place.tops, ([id, top]) => [id, newLine(top)]))
  const receipts = new Map<string, number>()
  /** While holes are filled, the place stands still: what fills them comes before it. */
  let filling = 0
  /** Changes so far below a version may come again. */
  let overlap = 0
  /** The id of the `caughtUp` that came while holes were being filled. */
  let caughtUpAt: string | null = null

  const giveEvent = (event: ChatEvent | PutBack, id: string | null) => {
    if (event.type === 'message') place.gave(event.message)
    if (filling === 0 && id !== null) place.moveTo(id, event.type === 'caughtUp')
    give({ ...event, cursor: place.cursor() })
  }

  const giveMessage = (line: Line, message: Message, id: string | null) => {
    line.top = message.seq
    line.sentAt = message.sentAt
    giveEvent({ type: 'message', message }, id)
  }

  const takePutBack = (line: Line, message: Message): boolean => {
    const { top: seq, sentAt, versionMax } = line
    const isIt = sentAt ? isPutBack({ seq, sentAt }, message) : message.seq <= seq && message.version > versionMax
    if (!isIt) return false
    line.top = message.seq - 1
    place.forget(message.conversationId)
    giveEvent({ type: 'putBack', conversationId: message.conversationId, afterSeq: line.top }, null)
    return true
  }

  /** @param from the history is read behind it, but not above what was given */
  const fill = async (conversationId: string, line: Line, held: Arrival[], from = line.top) => {
    line.held = held
    filling++
    let after: number | null = Math.min(from, line.top)
    for (let failures = 0; after !== null && !signal.aborted; ) {
      try {
        const page = await historyAfter(conversationId, after)
        for (const message of page.messages) {
          if (message.seq > line.top || takePutBack(line, message)) giveMessage(line, message, null)
        }
        after = page.nextAfter
        // The history is older than what was told, and has it soon.
        if (after === null && !isReached(line, held)) {
          after = line.top
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
    const { message, id } = arrival
    const line = lines.get(message.conversationId)
    if (!line) {
      const opened = newLine(0)
      lines.set(message.conversationId, opened)
      giveMessage(opened, message, id)
    } else if (line.held) line.held.push(arrival)
    else if (message.seq === line.top + 1 || takePutBack(line, message)) giveMessage(line, message, id)
    else if (message.seq > line.top) void fill(message.conversationId, line, [arrival])
  }

  const tellCaughtUp = () => {
    if (filling > 0 || caughtUpAt === null) return
    // What an earlier run was given last, it was given before now.
    const versionMax = versionOf(caughtUpAt) + overlap
    for (const line of lines.values()) line.versionMax = versionMax
    giveEvent({ type: 'caughtUp' }, caughtUpAt)
    caughtUpAt = null
    onCaughtUp()
  }

  const takeReceipt = (receipt: Receipt, id: string) => {
    const key = `${receipt.conversationId} ${receipt.username}`
    if (receipt.version <= (receipts.get(key) ?? 0)) return
    receipts.set(key, receipt.version)
    giveEvent({ type: 'receipt', receipt }, id)
  }

  return {
    take(event: ChatEvent, id: string) {
      if (event.type === 'message') return takeMessage({ message: event.message, id })
      if (event.type === 'receipt') return takeReceipt(event.receipt, id)
      if (event.type === 'caughtUp') {
        caughtUpAt = id
        return tellCaughtUp()
      }
      overlap = event.overlap ?? 0
      place.overlap(overlap)
      giveEvent(event, id)
      if (event.replay === 'complete') return
      for (const { conversationId, afterSeq } of event.conversations) {
        const line = lines.get(conversationId) ?? newLine(afterSeq)
        lines.set(conversationId, line)
        if (!line.held) void fill(conversationId, line, [], afterSeq)
      }
    },
  }
}
