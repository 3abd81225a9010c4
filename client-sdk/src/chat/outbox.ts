import type { Message } from '../../../server/contract/index.ts'
import type { ChatClient } from '../client.ts'
import { ChatError } from '../errors.ts'
import { newMessageName } from '../message-name.ts'
import { conversationAt } from './address.ts'
import type { Identity } from './identity.ts'
import { createSender } from './sender.ts'
import type { Draft, OpenOutboxStorage, OutboxOwner, OutboxStorage, StorageNews } from './storage.ts'
import { createView, type View } from './view.ts'

/** Browsers have been seen to leave an IndexedDB waiting for ever. */
const answerMs = 10_000

/** A message of one's own that is not acknowledged yet. */
export interface OutgoingMessage {
  clientMessageId: string
  conversationId: string
  text: string
  queuedAt: Date
  status: 'sending' | 'failed'
  /** Why it failed; null while it is being sent. */
  error: ChatError | null
}

export interface Outgoing {
  clientMessageId: string
  /** The message as the server stored it. Rejected when it fails, is cancelled, or the outbox is closed before. */
  sent: Promise<Message>
}

/** Messages on their way. Each is kept until the server has acknowledged it, or it is cancelled. */
export interface Outbox extends View<readonly OutgoingMessage[]> {
  /**
   * Takes a message at once, connected or not. One at a time leaves for each conversation, in the order of the sends.
   * @throws ChatError `outboxFull`
   */
  send(message: { to: string; text: string }): Outgoing
  /** Sends one that has failed once more, under the same name. @returns false where there is none such */
  retry(clientMessageId: string): boolean
  /**
   * Takes it back. @returns false where it is too late: it is on its way or has arrived. One that was on its way when
   * the connection was lost may have arrived all the same, and is then shown as sent.
   */
  cancel(clientMessageId: string): boolean
}

export interface OutboxOptions {
  client: ChatClient
  identity: Identity
  owner: OutboxOwner
  openStorage: OpenOutboxStorage
  /** More are refused. */
  draftsMax: number
  /** What could not be sent for so long fails with `timedOut`. */
  giveUpAfterMs: number
  /** Called before it leaves the outbox. */
  onSent(message: Message): void
  onChange(): void
  /** The storage cannot be opened. Every message that it cannot keep says so as well. */
  onError(error: ChatError): void
}

interface Entry {
  draft: Draft
  /** A crash would not lose it, so that it may leave. */
  isStored: boolean
  resolve(message: Message): void
  reject(error: ChatError): void
}

export const createOutbox = (options: OutboxOptions) => {
  const { client, identity, owner, openStorage, onSent, onChange, onError, draftsMax, giveUpAfterMs } = options
  let entries = new Map<string, Entry>()
  let isRead = false
  let isClosed = false
  const view = createView((): readonly OutgoingMessage[] => Array.from(entries.values(), asOutgoing))
  const changed = () => {
    view.changed()
    onChange()
  }

  const ready = openInTime(openStorage(owner)).then(async (storage) => {
    // Whatever is told while this reads, is told of what was read.
    storage.listen((news) => void ready.then(() => isClosed || take(news)))
    const kept = (await storage.read()).map((draft): [string, Entry] => [draft.clientMessageId, stored(draft)])
    entries = new Map([...kept, ...entries])
    isRead = true
    changed()
    return storage
  })
  ready.catch((cause) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    onError(new ChatError('notStored', { message: `The outbox cannot be opened: ${reason}`, cause }))
  })
  const sender = createSender({
    client,
    identity,
    giveUpAfterMs,
    lead: async (signal) => (await ready).lead(signal),
    waiting: () => [...entries.values()].filter(isToBeSent).map(({ draft }) => draft),
    onSent: (draft, message) => settle(draft.clientMessageId, message),
    onFailed: (draft, error) => fail(draft.clientMessageId, error),
  })

  /** Keeps the entry's draft as it is now. */
  const store = async (entry: Entry) => {
    try {
      await (await ready).put(entry.draft)
      entry.isStored = true
      sender.wake()
    } catch (cause) {
      if (isClosed) return
      const error = new ChatError('notStored', { cause })
      entry.draft = { ...entry.draft, failure: factsOf(error) }
      entry.reject(error)
      changed()
    }
  }
  const unstore = (clientMessageId: string, message: Message | null) =>
    // What stays behind is sent again under its own name, and the server knows that.
    ready.then((storage) => storage.remove(clientMessageId, message)).catch(() => {})

  const leave = (clientMessageId: string): Entry | undefined => {
    const entry = entries.get(clientMessageId)
    entries.delete(clientMessageId)
    changed()
    return entry
  }
  const settle = (clientMessageId: string, message: Message) => {
    if (!entries.has(clientMessageId)) return
    onSent(message)
    leave(clientMessageId)?.resolve(message)
    void unstore(clientMessageId, message)
  }
  const fail = (clientMessageId: string, error: ChatError) => {
    const entry = entries.get(clientMessageId)
    if (!entry) return
    entry.draft = { ...entry.draft, failure: factsOf(error) }
    entry.reject(error)
    changed()
    void store(entry)
  }

  const take = (news: StorageNews) => {
    if (news.type === 'put') {
      const entry = entries.get(news.draft.clientMessageId)
      if (entry) {
        entry.draft = news.draft
        if (news.draft.failure) entry.reject(errorOf(news.draft.failure))
      } else entries.set(news.draft.clientMessageId, stored(news.draft))
      changed()
      return sender.wake()
    }
    if (news.message && entries.has(news.clientMessageId)) onSent(news.message)
    const entry = leave(news.clientMessageId)
    if (news.message) entry?.resolve(news.message)
    else entry?.reject(new ChatError('cancelled'))
  }

  const send: Outbox['send'] = ({ to, text }) => {
    if (isClosed) throw new ChatError('closed')
    if (entries.size >= draftsMax) throw new ChatError('outboxFull')
    const clientMessageId = newMessageName()
    const conversationId = conversationAt(owner.username, to)
    const draft: Draft = { clientMessageId, conversationId, text, queuedAt: Date.now(), failure: null }
    const sent = new Promise<Message>((resolve, reject) => {
      const entry: Entry = { draft, isStored: false, resolve, reject }
      entries.set(clientMessageId, entry)
      void store(entry)
    })
    // Who looks at the outbox sees there what fails.
    sent.catch(() => {})
    changed()
    return { clientMessageId, sent }
  }

  return {
    getSnapshot: view.getSnapshot,
    subscribe: view.subscribe,
    send,
    retry(clientMessageId: string) {
      const entry = entries.get(clientMessageId)
      if (isClosed || !entry?.draft.failure) return false
      entry.draft = { ...entry.draft, queuedAt: Date.now(), failure: null }
      changed()
      void store(entry)
      return true
    },
    cancel(clientMessageId: string) {
      if (isClosed || !entries.has(clientMessageId) || sender.isSending(clientMessageId)) return false
      leave(clientMessageId)?.reject(new ChatError('cancelled'))
      void unstore(clientMessageId, null)
      return true
    },
    /** It came in by another way than as the answer to its send. */
    async confirm(message: Message) {
      const { clientMessageId } = message
      if (clientMessageId === null) return
      // It may be one of those that are still being read.
      if (!isRead) await ready.catch(ignore)
      if (entries.get(clientMessageId)?.draft.conversationId === message.conversationId)
        settle(clientMessageId, message)
    },
    /** What is not sent stays where it is kept. Resolves when nothing is being written any more. */
    async close() {
      isClosed = true
      sender.close()
      view.stop()
      for (const { reject } of entries.values()) reject(new ChatError('closed'))
      await inTime(ready.then((storage) => storage.close())).catch(() => {})
    },
  }
}

const ignore = () => {}

/** One that opens later is closed again: what it was to keep has failed by then. */
const openInTime = (opening: Promise<OutboxStorage>): Promise<OutboxStorage> =>
  inTime(opening).catch((error) => {
    opening.then((storage) => storage.close()).catch(ignore)
    throw error
  })

const inTime = <Value>(work: Promise<Value>): Promise<Value> =>
  new Promise((resolve, reject) => {
    const late = new Error(`The storage has not answered within ${answerMs / 1_000} s`)
    const timer = setTimeout(reject, answerMs, late)
    work.finally(() => clearTimeout(timer)).then(resolve, reject)
  })

const stored = (draft: Draft): Entry => ({ draft, isStored: true, resolve: ignore, reject: ignore })

const isToBeSent = ({ draft, isStored }: Entry): boolean => isStored && draft.failure === null

const asOutgoing = ({ draft }: Entry): OutgoingMessage => {
  const { clientMessageId, conversationId, text, queuedAt, failure } = draft
  return {
    clientMessageId,
    conversationId,
    text,
    queuedAt: new Date(queuedAt),
    status: failure ? 'failed' : 'sending',
    error: failure && errorOf(failure),
  }
}

const errorOf = (failure: NonNullable<Draft['failure']>) => new ChatError(failure.kind, failure)

const factsOf = ({ kind, retryable, message, retryAfterMs, issues }: ChatError): NonNullable<Draft['failure']> => ({
  kind,
  retryable,
  message,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
  ...(issues && { issues }),
})
