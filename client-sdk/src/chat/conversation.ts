import type { HistoryPage, Message, Profile } from '../../../server/contract/index.ts'
import type { ChatClient } from '../client.ts'
import { asChatError, ChatError } from '../connection/errors.ts'
import { orAborted, sleep } from '../connection/sleep.ts'
import { asPlaceless, asSending, type ChatMessage, withChange } from './message.ts'
import type { Ask } from './online.ts'
import type { ChatOutbox, SavedChange, Target } from './outbox/outbox.ts'
import { isChange, isSend, type Outgoing } from './outbox/outgoing.ts'
import type { People } from './people.ts'
import type { Timeline } from './timeline.ts'
import { createView, type View } from './view.ts'

const pageSize = 50
/** History gives at most so many at once. */
const catchUpSize = 100
/** So often the history is read again where it is older than what was published, and so long is waited before. */
const catchUpsMax = 5
const catchUpMs = 500

export interface ConversationSnapshot {
  id: string
  /**
   * In order, without a hole. Own messages that are not acknowledged yet stand last, and so do those that are while others
   * are still missing before them: they are `sending` until they have their place.
   */
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
   * Reads one page before the first message; the newest page where none was read yet. At most one at a time; a second call
   * waits for the first.
   * @param options.signal ends the wait: it rejects with the signal's reason
   */
  loadOlder(options?: { signal?: AbortSignal | undefined }): Promise<void>
  /**
   * Everything that is shown here was read, or everything up to and including the message number `upTo`: of what was not
   * loaded as well. Said to the server when it can be.
   */
  markRead(upTo?: number): void
}

export interface ConversationOptions {
  timeline: Timeline
  userId: string
  client: ChatClient
  ask: Ask
  people: People
  outbox: ChatOutbox
  markRead(seq: number): void
  signal: AbortSignal
}

/** Reads the pages of one conversation into its timeline, and shows that with what the outbox makes of it. */
export const createConversation = ({
  timeline,
  userId,
  client,
  ask,
  people,
  outbox,
  markRead,
  signal,
}: ConversationOptions) => {
  const { id } = timeline
  /** There may be messages, and later states of those that are shown, that nobody publishes. */
  let isStale = false
  /** What is shown may be gone at the server. */
  let isLost = false
  let loading: ConversationSnapshot['loading'] = null
  let reading: Promise<void> | null = null
  let error: ChatError | null = null

  const view = createView(
    (): ConversationSnapshot => ({
      id,
      messages: withOutgoing(timeline.messages(), timeline.ownAhead()),
      people: Array.from(timeline.names, people.profileOf),
      hasOlder: timeline.nextBefore !== null,
      // Not «empty»: nobody knows that yet.
      loading: loading ?? (timeline.isOpen || error ? null : 'newest'),
      error,
    }),
    () => {
      if (!timeline.isOpen || error) void loadNewest()
    },
  )

  /** As own changes leave them, and behind them what is on its way: the outbox may not know yet that it has arrived. */
  const withOutgoing = (arrived: readonly ChatMessage[], ahead: ChatMessage[]): readonly ChatMessage[] => {
    const outgoing = outbox.getSnapshot().filter(({ conversationId }) => conversationId === id)
    if (outgoing.length + ahead.length === 0) return arrived
    const keys = new Set([...arrived, ...ahead].map(({ key }) => key))
    const sending = outgoing.filter(isSend).filter(({ clientMessageId }) => !keys.has(clientMessageId))
    const changes = outgoing.filter(isChange)
    const changed = (message: ChatMessage) => withChange(message, changes)
    return [
      ...(changes.length === 0 ? arrived : arrived.map(changed)),
      ...ahead.map((message) => asPlaceless(changed(message))),
      ...sending.map((message) => changed(asSending(message, userId, people))),
    ]
  }
  /** An own message that is shown. */
  const own = (message: string): ChatMessage & Target => {
    const shown = [...timeline.ownAhead(), ...view.getSnapshot().messages]
    const found = shown.find(({ id, key }) => id === message || key === message)
    if (!found) throw new ChatError('unknownMessage')
    if (found.sender !== userId) throw new ChatError('notAllowed')
    return found
  }

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
        timeline.settle()
        view.changed()
      }
      if (isToBeRead() && !error) await loadNewest()
    })()
    return reading
  }
  const isToBeRead = () => timeline.isOpen && (isLost || isStale || timeline.isBehind())
  const page = async (place: { before?: number; after?: number; limit: number }): Promise<HistoryPage> => {
    const read = await ask((options) => client.history({ conversation: id, ...place }, options))
    for (const { userId } of read.people) timeline.names.add(userId)
    people.accept(read.people)
    for (const message of read.messages) if (message.sender === userId) outbox.confirm(message)
    return read
  }

  const loadNewest = () =>
    read('newest', async () => {
      if (!timeline.isOpen || isLost) await open()
      await catchUp()
    })
  const open = async () => {
    isLost = false
    isStale = false
    const newest = await page({ limit: pageSize })
    // Lost meanwhile once more: what was read may be as well.
    if (isLost) await open()
    else timeline.open(newest)
  }
  /** What came behind what is shown, or changed there, and was not emitted or not read yet. */
  const catchUp = async () => {
    for (let failures = 0; !isLost && (isStale || timeline.isBehind()); failures++) {
      if (failures === catchUpsMax) return timeline.isComplete()
      if (failures > 0) await sleep(failures * catchUpMs, signal)
      let after: number | null = isStale ? timeline.firstSeq() - 1 : timeline.topSeq()
      isStale = false
      while (after !== null && !isLost) {
        const next = await page({ after, limit: catchUpSize })
        if (!isLost) timeline.add(next)
        after = next.nextAfter
      }
    }
  }
  const loadOlder = async () => {
    while (reading && loading === 'newest') await reading
    if (!timeline.isOpen) return loadNewest()
    const before = timeline.nextBefore
    if (before === null) return
    await read('older', async () => {
      const older = await page({ before, limit: pageSize })
      // Read from a store that has been rewound meanwhile, it may be of another history.
      if (before === timeline.nextBefore && !isLost) timeline.addOlder(older)
    })
  }
  const readAnew = () => {
    if (!reading && isToBeRead()) void loadNewest()
  }

  return {
    ...view,
    id,
    send: (text: string) => outbox.send({ to: id, text }),
    edit(message: string, text: string) {
      const target = own(message)
      if (target.deletedAt) throw new ChatError('messageDeleted')
      return outbox.edit(target, target.revision, text)
    },
    delete: (message: string) => outbox.delete(own(message)),
    loadOlder: ({ signal }: { signal?: AbortSignal | undefined } = {}) => orAborted(loadOlder(), signal),
    async markRead(upTo = Number.POSITIVE_INFINITY) {
      // A number that is not known here need not be one of the conversation.
      const isUnknown = !timeline.isOpen && upTo > (timeline.newest()?.seq ?? 0)
      if (isUnknown && Number.isFinite(upTo)) await loadNewest()
      const seq = timeline.seenSeq(upTo)
      if (seq) markRead(seq)
    },
    /** A message that the loop has emitted. */
    receive(message: Message) {
      timeline.receive(message, reading !== null)
      readAnew()
    },
    /** An own message that was acknowledged. Those before it are on their way. */
    acknowledge: (message: Message) => timeline.acknowledge(message, reading !== null),
    get isLoaded() {
      return timeline.isOpen || reading !== null
    },
    /** There may be more, and other states, than was published. */
    refresh() {
      if (!timeline.isOpen && !reading) return
      isStale = true
      readAnew()
    },
    /** The server's store is another than before: all is read anew, and shown until then. */
    reset() {
      timeline.forget()
      isLost = timeline.isOpen || reading !== null
      readAnew()
    },
    /** Lets go of what it holds, until somebody subscribes. */
    unload() {
      if (!reading) timeline.close()
    },
  }
}
export type Conversation = ReturnType<typeof createConversation>
