import { ChatError } from '../../server/contract/errors.ts'
import type { ChatEvent, HistoryPage, Message, Receipt } from '../../server/contract/index.ts'
import { backoffMs } from './backoff.ts'
import { pause } from './pause.ts'
import type { Place } from './place.ts'

/** An event of `onMessage`, with the place behind it. */
export type FeedEvent = ChatEvent & {
  /** Keep it to go on behind this event after a restart: `events({ cursor })`. */
  cursor: string
}

interface Line {
  /** Everything up to here was given out. */
  top: number
  /** What came while a hole before it is being filled. */
  held: Arrival[] | null
}
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
  const lines = new Map(Array.from(place.tops, ([id, top]): [string, Line] => [id, { top, held: null }]))
  const receipts = new Map<string, number>()
  /** While holes are filled, the place stands still: what fills them comes before it. */
  let filling = 0
  /** The id of the `caughtUp` that came while holes were being filled. */
  let caughtUpAt: string | null = null

  const giveEvent = (event: ChatEvent, id: string | null) => {
    if (event.type === 'message') place.gave(event.message)
    if (filling === 0 && id !== null) place.moveTo(id)
    give({ ...event, cursor: place.cursor() })
  }

  const giveMessage = (line: Line, message: Message, id: string | null) => {
    line.top = message.seq
    giveEvent({ type: 'message', message }, id)
  }

  const fill = async (conversationId: string, line: Line, held: Arrival[]) => {
    line.held = held
    filling++
    for (let failures = 0, more = true; more && !signal.aborted; ) {
      try {
        const page = await historyAfter(conversationId, line.top)
        for (const message of page.messages) giveMessage(line, message, null)
        more = page.nextAfter !== null
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof ChatError && error.retryable)) return fail(error as ChatError)
        await pause(backoffMs(++failures, error), signal)
      }
    }
    line.held = null
    filling--
    for (const arrival of held) takeMessage(arrival)
    tellCaughtUp()
  }

  const takeMessage = (arrival: Arrival) => {
    const { message, id } = arrival
    const line = lines.get(message.conversationId)
    if (!line) {
      const opened = { top: 0, held: null }
      lines.set(message.conversationId, opened)
      giveMessage(opened, message, id)
    } else if (line.held) line.held.push(arrival)
    else if (message.seq === line.top + 1) giveMessage(line, message, id)
    else if (message.seq > line.top) void fill(message.conversationId, line, [arrival])
  }

  const tellCaughtUp = () => {
    if (filling > 0 || caughtUpAt === null) return
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
      place.overlap(event.overlap ?? 0)
      giveEvent(event, id)
      if (event.replay === 'complete') return
      for (const { conversationId, afterSeq } of event.conversations) {
        const line = lines.get(conversationId) ?? { top: afterSeq, held: null }
        lines.set(conversationId, line)
        if (!line.held) void fill(conversationId, line, [])
      }
    },
  }
}
