import type { ChatEvent, HistoryPage, Message, Receipt } from '../../server/contract/index.ts'

/** An event of `onMessage`, with the place behind it. */
export type FeedEvent = ChatEvent & {
  /** Keep it to go on behind this event after a restart: `events({ cursor })`. */
  cursor: string
}

interface Line {
  /** Everything up to here was given out. */
  top: number
  /** What came while a hole before it is being filled. */
  held: Message[] | null
}

/** Between attempts to fill a hole that the server could not serve. */
const retryMs = 1_000

/**
 * Puts what comes in into one line for each conversation: repeats are passed over, and where messages are missing (the
 * server said `reset`, or lost some on the way) they are read from the history first.
 */
export const createFeed = ({
  give,
  historyAfter,
  isOver,
}: {
  give(event: FeedEvent): void
  historyAfter(conversation: string, seq: number): Promise<HistoryPage>
  /** Nobody takes events any more. */
  isOver(): boolean
}) => {
  const lines = new Map<string, Line>()
  const receipts = new Map<string, number>()
  let filling = 0
  /** Where to go on after a restart. It stands still while holes are filled: what fills them comes before it. */
  let cursor = ''

  const giveMessage = (line: Line, message: Message) => {
    line.top = message.seq
    give({ type: 'message', message, cursor })
  }

  const fill = async (conversationId: string, line: Line, held: Message[]) => {
    line.held = held
    filling++
    while (!isOver()) {
      try {
        const page = await historyAfter(conversationId, line.top)
        for (const message of page.messages) giveMessage(line, message)
        if (page.nextAfter === null) break
      } catch (error) {
        if (!isRetryable(error)) break
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
    line.held = null
    filling--
    for (const message of held) takeMessage(message)
  }

  const takeMessage = (message: Message) => {
    const line = lines.get(message.conversationId)
    if (!line) {
      const opened = { top: 0, held: null }
      lines.set(message.conversationId, opened)
      giveMessage(opened, message)
    } else if (line.held) line.held.push(message)
    else if (message.seq === line.top + 1) giveMessage(line, message)
    else if (message.seq > line.top) void fill(message.conversationId, line, [message])
  }

  const takeReceipt = (receipt: Receipt) => {
    const key = `${receipt.conversationId} ${receipt.username}`
    if (receipt.version <= (receipts.get(key) ?? 0)) return
    receipts.set(key, receipt.version)
    give({ type: 'receipt', receipt, cursor })
  }

  return {
    take(event: ChatEvent, id: string) {
      if (filling === 0) cursor = id
      if (event.type === 'message') return takeMessage(event.message)
      if (event.type === 'receipt') return takeReceipt(event.receipt)
      give({ ...event, cursor })
      if (event.replay === 'complete') return
      for (const conversationId of event.conversations) {
        const line = lines.get(conversationId)
        if (line && !line.held) void fill(conversationId, line, [])
      }
    },
  }
}

const isRetryable = (error: unknown) => error instanceof Error && 'retryable' in error && error.retryable === true
