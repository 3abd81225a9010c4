import type { HistoryPage, Message, Profile } from '../../../server/contract/index.ts'
import { directMembers } from '../../../server/contract/places.ts'
import type { ChatClient } from '../client.ts'
import { asChatError, ChatError } from '../connection/errors.ts'
import { orAborted } from '../connection/pause.ts'
import { asSending, asShown, type ChatMessage, latest, withChange } from './message.ts'
import type { Outbox, SavedChange, Target } from './outbox/outbox.ts'
import type { Outgoing, OutgoingChange, OutgoingMessage } from './outbox/outgoing.ts'
import { patiently } from './patient.ts'
import type { People } from './people.ts'
import type { Progress } from './progress.ts'
import { createView, type View } from './view.ts'

const pageSize = 50
/** History gives at most so many at once. */
const fillSize = 100

export interface ConversationSnapshot {
  id: string
  /** In order, without a hole; own messages that are not acknowledged yet stand last. */
  messages: readonly ChatMessage[]
  /** Who wrote these, and everybody in a direct conversation, as far as they are known, by their present names. */
  people: readonly Profile[]
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
   * Gives an own message another text: shown at once, as its `change`, and kept in the outbox until the server has taken
   * or refused it. What has not been sent yet is sent with the new text. It is made on the text that is shown: one that was
   * edited meanwhile on another device is a `conflict`, unless it is retried.
   * @param message the `key` or the `id` of one that is shown here
   * @throws ChatError `unknownMessage`, `notAllowed`, `messageDeleted`, `outboxFull`
   */
  edit(message: string, text: string): SavedChange
  /**
   * Deletes an own message, in the same way; it stays as a message with `deletedAt` and no text. One that has not been sent
   * yet is taken back.
   * @param message the `key` or the `id` of one that is shown here
   * @throws ChatError `unknownMessage`, `notAllowed`, `outboxFull`
   */
  delete(message: string): SavedChange<Message | null>
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
  userId: string
  client: ChatClient
  progress: Progress
  people: People
  outgoing(): ReturnType<Outbox['getSnapshot']>
  /** Told of own messages that the history has. */
  onArrived(message: Message): void
  send(text: string): Outgoing
  edit(target: Target, revision: number, text: string): SavedChange
  delete(target: Target): SavedChange<Message | null>
  markRead(seq: number): void
  signal: AbortSignal
}

export const createConversation = (options: ConversationOptions) => {
  const { id, userId, client, progress, people, signal } = options
  /** Dense, in order of `seq`. */
  let messages: ChatMessage[] = []
  /** Everything up to here stands in `messages`; null: nothing was read yet. */
  let top: number | null = null
  let nextBefore: number | null = null
  /** Acknowledged, or come in, before those that stand before them. */
  const early = new Map<number, ChatMessage>()
  /** Changes that came while a page was being read, which may be older. */
  const late = new Map<number, ChatMessage>()
  /** One of them came in behind messages that did not. */
  let hasHole = false
  /** There may be newer ones, and later states, that nobody tells of. */
  let isStale = false
  /** What is shown may be gone at the server. */
  let isLost = false
  let loading: ConversationSnapshot['loading'] = null
  let reading: Promise<void> | null = null
  let error: ChatError | null = null

  /** Whose names are wanted here. */
  const names = new Set(directMembers(id) ?? [])

  const view = createView((): ConversationSnapshot => {
    const sent = [...early.values()]
      .sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0))
      .filter(({ sender }) => sender === userId)
    return {
      id,
      messages: withOutgoing([...messages, ...sent]),
      people: Array.from(names, people.profileOf),
      hasOlder: nextBefore !== null,
      // Not «empty»: nobody knows that yet.
      loading: loading ?? (top === null && !error ? 'newest' : null),
      error,
    }
  })

  /** As own changes leave them, and behind them what is on its way: the outbox may not know yet that it has arrived. */
  const withOutgoing = (arrived: ChatMessage[]): ChatMessage[] => {
    const outgoing = options.outgoing()
    if (outgoing.length === 0) return arrived
    const keys = new Set(arrived.map(({ key }) => key))
    const sending = outgoing.filter(isSend).filter(({ clientMessageId }) => !keys.has(clientMessageId))
    const changes = outgoing.filter(isChange)
    const all = [...arrived, ...sending.map((message) => asSending(message, userId, people))]
    return changes.length === 0 ? all : all.map((message) => withChange(message, changes))
  }
  /** An own message that is shown. */
  const own = (message: string): ChatMessage & Target => {
    const found = view.getSnapshot().messages.find(({ id, key }) => id === message || key === message)
    if (!found) throw new ChatError('unknownMessage')
    if (found.sender !== userId) throw new ChatError('notAllowed')
    return found
  }

  const shown = (message: Message) => {
    names.add(message.sender)
    return progress.marker()(asShown(message, userId, people))
  }
  /** It may come twice, and last in an older state: as the answer to its send. */
  const putEarly = (message: Message) => early.set(message.seq, latest(early.get(message.seq), shown(message)))

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
        late.clear()
        view.changed()
      }
      if ((hasHole || isStale || isLost) && !error && top !== null) await loadNewest()
    })()
    return reading
  }
  const page = async (place: { before?: number; after?: number; limit: number }) => {
    const read = await patiently(client, () => client.history({ conversation: id, ...place }, { signal }), signal)
    for (const { userId } of read.people) names.add(userId)
    people.accept(read.people)
    for (const message of read.messages) if (message.sender === userId) options.onArrived(message)
    return read
  }

  const loadNewest = () =>
    read('newest', async () => {
      if (top === null || isLost) await begin()
      else if (isStale) await readAgain()
      await fill()
    })

  const begin = async () => {
    isStale = isLost = false
    const newest = await page({ limit: pageSize })
    // Lost meanwhile once more: what was read may be as well.
    if (isLost) return begin()
    messages = newest.messages.map((message) => latest(early.get(message.seq), shown(message)))
    nextBefore = newest.nextBefore
    top = newest.messages.at(-1)?.seq ?? 0
  }

  /** All that is shown, and what came behind it. */
  const readAgain = async () => {
    isStale = false
    for (let after: number | null = (messages[0]?.seq ?? 1) - 1; after !== null; ) {
      const again: HistoryPage = await page({ after, limit: fillSize })
      again.messages.forEach(accept)
      after = again.nextAfter
    }
  }

  const loadOlder = async () => {
    while (reading && loading === 'newest') await reading
    const before = nextBefore
    if (before === null) return
    await read('older', async () => {
      const older = await page({ before, limit: pageSize })
      messages = [...older.messages.map((message) => latest(late.get(message.seq), shown(message))), ...messages]
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

  /** In its place, if it is a later state. */
  const update = (message: Message) => {
    const at = messages.findLastIndex(({ seq }) => seq === message.seq)
    const known = messages[at]
    if (known) {
      const now = latest(known, shown(message))
      if (now !== known) messages = [...messages.slice(0, at), now, ...messages.slice(at + 1)]
    } else if (reading) late.set(message.seq, latest(late.get(message.seq), shown(message)))
  }
  const accept = (message: Message) => {
    if (top === null && !reading) return
    if (top !== null && message.seq <= top) update(message)
    else putEarly(message)
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
    edit(message: string, text: string) {
      const target = own(message)
      if (target.deletedAt) throw new ChatError('messageDeleted')
      return options.edit(target, target.revision, text)
    },
    delete: (message: string) => options.delete(own(message)),
    loadOlder: ({ signal }: { signal?: AbortSignal | undefined } = {}) => orAborted(loadOlder(), signal),
    markRead(upTo = Number.POSITIVE_INFINITY) {
      const { readSeq } = progress.placeOf(userId)
      // What was read is not looked through again.
      const unread = messages.slice(messages.findLastIndex(({ seq }) => seq !== null && seq <= readSeq) + 1)
      const seen = unread.filter(({ seq }) => seq !== null && seq <= upTo)
      // Unread ones may stand above what was loaded, with own messages alone below them.
      const isAllUnread = unread.length === messages.length && (messages[0]?.seq ?? 0) > readSeq + 1
      const seq = (seen.findLast(({ status }) => status === 'received') ?? (isAllUnread ? seen.at(-1) : undefined))?.seq
      if (seq) options.markRead(seq)
    },
    /** A message that came in, as new or as it is now. Those before it have come as well, or are read. */
    take(message: Message) {
      accept(message)
      if (!early.has(message.seq)) return
      hasHole = true
      if (!reading) void loadNewest()
    },
    /** An own message that was acknowledged. Those before it are on their way. */
    takeSent: accept,
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
    /** The server's store is another than before: all is read anew, and shown until then. */
    beginAnew() {
      if (top === null && !reading) return
      early.clear()
      late.clear()
      isLost = true
      if (!reading) void loadNewest()
    },
    /** Somebody has another name. */
    renamed() {
      const rename = (message: ChatMessage) => {
        const senderName = people.nameOf(message.sender)
        return senderName === message.senderName ? message : { ...message, senderName }
      }
      for (const [seq, message] of early) early.set(seq, rename(message))
      messages = messages.map(rename)
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
      late.clear()
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

const isSend = (outgoing: OutgoingMessage | OutgoingChange): outgoing is OutgoingMessage => outgoing.type === 'send'
const isChange = (outgoing: OutgoingMessage | OutgoingChange): outgoing is OutgoingChange => outgoing.type !== 'send'
