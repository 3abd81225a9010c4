import type { Message } from '../../../server/contract/index.ts'
import type { ChatClient } from '../client.ts'
import { asChatError, type ChatError } from '../errors.ts'
import { orAborted } from '../pause.ts'
import { asSending, asShown, type ChatMessage, further } from './message.ts'
import type { Outgoing, OutgoingMessage } from './outbox.ts'
import { patiently } from './patient.ts'
import type { Progress } from './progress.ts'
import { createView, type View } from './view.ts'

const pageSize = 50
/** History gives at most so many at once. */
const fillSize = 100

export interface ConversationSnapshot {
  id: string
  /** In order, without a hole; own messages that are not acknowledged yet stand last. */
  messages: readonly ChatMessage[]
  /** Whether there are messages before the first of these: `loadOlder()`. */
  hasOlder: boolean
  /** What is being read from the server; `newest` too where nothing was read yet: it is when somebody subscribes. */
  loading: 'newest' | 'older' | null
  /** Why its messages cannot be read, such as `unknownUser`. */
  error: ChatError | null
}

/** One conversation, as a page shows it. It is read when somebody subscribes, and stays true from then on. */
export interface ConversationView extends View<ConversationSnapshot> {
  readonly id: string
  /** @throws ChatError `outboxFull` */
  send(text: string): Outgoing
  /**
   * Reads one page before the first message. At most one at a time; a second call waits for the first.
   * @param options.signal ends the wait: it rejects with the signal's reason
   */
  loadOlder(options?: { signal?: AbortSignal | undefined }): Promise<void>
  /**
   * Everything that is shown here was read, or everything up to and including the message number `upTo`. Said to the
   * server when it can be.
   */
  markRead(upTo?: number): void
}

export interface ConversationOptions {
  id: string
  username: string
  client: ChatClient
  progress: Progress
  outgoing(): readonly OutgoingMessage[]
  /** Told of own messages that the history has. */
  onArrived(message: Message): void
  send(text: string): Outgoing
  markRead(seq: number): void
  signal: AbortSignal
}

export const createConversation = (options: ConversationOptions) => {
  const { id, username, client, progress, signal } = options
  /** Dense, in order of `seq`. */
  let messages: ChatMessage[] = []
  /** Everything up to here stands in `messages`; null: nothing was read yet. */
  let top: number | null = null
  let nextBefore: number | null = null
  /** Acknowledged, or come in, before those that stand before them. */
  const early = new Map<number, ChatMessage>()
  /** One of them came in behind messages that did not. */
  let hasHole = false
  /** There may be newer ones that nobody tells of. */
  let isStale = false
  let loading: ConversationSnapshot['loading'] = null
  let reading: Promise<void> | null = null
  let error: ChatError | null = null

  const view = createView((): ConversationSnapshot => {
    const sent = [...early.values()]
      .sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0))
      .filter(({ sender }) => sender === username)
    const sending = outgoingBehind([...messages, ...sent])
    return {
      id,
      messages: [...messages, ...sent, ...sending],
      hasOlder: nextBefore !== null,
      // Not «empty»: nobody knows that yet.
      loading: loading ?? (top === null && !error ? 'newest' : null),
      error,
    }
  })

  /** Without those that have arrived: the outbox may not know of it yet. */
  const outgoingBehind = (arrived: ChatMessage[]) => {
    const outgoing = options.outgoing()
    if (outgoing.length === 0) return []
    const keys = new Set(arrived.map(({ key }) => key))
    return outgoing
      .filter(({ clientMessageId }) => !keys.has(clientMessageId))
      .map((message) => asSending(message, username))
  }

  const shown = (message: Message) => progress.marker()(asShown(message, username))
  /** It may come twice, and last in an older state: as the answer to its send. */
  const putEarly = (message: Message) => early.set(message.seq, further(early.get(message.seq), shown(message)))

  /** One reading at a time; what fails for good is shown. */
  const read = (kind: 'newest' | 'older', work: () => Promise<void>): Promise<void> => {
    reading ??= (async () => {
      loading = kind
      error = null
      view.changed()
      try {
        await work()
      } catch (cause) {
        if (!signal.aborted) error = asChatError(cause)
      } finally {
        loading = reading = null
        view.changed()
      }
      if ((hasHole || isStale) && !error && top !== null) await loadNewest()
    })()
    return reading
  }
  const page = async (place: { before?: number; after?: number; limit: number }) => {
    const read = await patiently(client, () => client.history({ conversation: id, ...place }, { signal }), signal)
    for (const message of read.messages) if (message.sender === username) options.onArrived(message)
    return read
  }

  const loadNewest = () =>
    read('newest', async () => {
      if (top === null || isStale) {
        isStale = false
        const newest = await page({ limit: pageSize })
        if (top === null) {
          messages = newest.messages.map((message) => further(early.get(message.seq), shown(message)))
          nextBefore = newest.nextBefore
          top = newest.messages.at(-1)?.seq ?? 0
        } else newest.messages.forEach(putEarly)
      }
      await fill()
    })

  const loadOlder = async () => {
    while (reading && loading === 'newest') await reading
    const before = nextBefore
    if (before === null) return
    await read('older', async () => {
      const older = await page({ before, limit: pageSize })
      messages = [...older.messages.map(shown), ...messages]
      nextBefore = older.nextBefore
      await fill()
    })
  }

  /** Puts what came early behind its predecessors, which are read where they are missing. */
  const fill = async () => {
    hasHole = false
    for (join(); top !== null && early.size > 0; join()) {
      const missing = (await page({ after: top, limit: fillSize })).messages
      // The history is older than what was told. It is on its way, or is read when the next one comes.
      if (missing.length === 0) return
      // What the server has lost is not asked for again and again.
      top = Math.max(top, (missing[0]?.seq ?? 0) - 1)
      missing.forEach(putEarly)
    }
  }
  const join = () => {
    if (top === null) return
    const followers: ChatMessage[] = []
    for (const seq of early.keys()) if (seq <= top) early.delete(seq)
    for (let next = early.get(top + 1); next; next = early.get(top + 1)) {
      early.delete(++top)
      followers.push(next)
    }
    if (followers.length > 0) messages = [...messages, ...followers]
  }

  const put = (message: Message) => {
    if (top === null && !reading) return
    if (top !== null && message.seq <= top) return
    putEarly(message)
    join()
    view.changed()
  }

  return {
    id,
    getSnapshot: view.getSnapshot,
    subscribe(listener: () => void) {
      if (top === null || error) void loadNewest()
      return view.subscribe(listener)
    },
    get isWatched() {
      return view.isWatched
    },
    send: options.send,
    loadOlder: ({ signal }: { signal?: AbortSignal | undefined } = {}) => orAborted(loadOlder(), signal),
    markRead(upTo = Number.POSITIVE_INFINITY) {
      const { readSeq } = progress.placeOf(username)
      const isNew = (seq: number | null): seq is number => seq !== null && seq > readSeq && seq <= upTo
      const received = messages.findLast(({ status, seq }) => status === 'received' && isNew(seq))
      // Unread ones may stand above what was loaded, with own messages alone below them.
      const own = (messages[0]?.seq ?? 0) > readSeq + 1 ? messages.findLast(({ seq }) => isNew(seq)) : undefined
      const seq = received?.seq ?? own?.seq
      if (seq) options.markRead(seq)
    },
    /** A message that came in. Those before it have come as well, or are read. */
    take(message: Message) {
      put(message)
      if (!early.has(message.seq)) return
      hasHole = true
      if (!reading) void loadNewest()
    },
    /** An own message that was acknowledged. Those before it are on their way. */
    takeSent: put,
    get isLoaded() {
      return top !== null || reading !== null
    },
    /** More may have come than was told. */
    refresh() {
      if (top === null && !reading) return
      isStale = true
      if (!reading) void loadNewest()
    },
    /** Others have got or read more. */
    progressed() {
      const mark = progress.marker()
      for (const [seq, message] of early) early.set(seq, mark(message))
      messages = messages.map(mark)
      view.changed()
    },
    /** The newest of those that stand in a line. */
    last(): { seq: number; sentAt: Date } | null {
      const { seq, sentAt } = messages.at(-1) ?? {}
      return seq && sentAt ? { seq, sentAt } : null
    },
    /** The server has nothing any more of what came after this number. */
    putBack(afterSeq: number) {
      early.clear()
      if (top === null || top <= afterSeq) return
      messages = messages.filter(({ seq }) => (seq ?? 0) <= afterSeq)
      top = afterSeq
      if (messages.length === 0) nextBefore = afterSeq > 0 ? afterSeq + 1 : null
      view.changed()
    },
    /** Lets go of what it holds, until somebody subscribes. */
    unload() {
      if (reading) return
      messages = []
      top = nextBefore = null
      early.clear()
      view.changed()
    },
    /** The outbox has changed. */
    changed: view.changed,
    stop: view.stop,
  }
}
export type Conversation = ReturnType<typeof createConversation>
