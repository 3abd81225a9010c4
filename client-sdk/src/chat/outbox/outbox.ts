import type { Message } from '../../../../server/contract/index.ts'
import { conversationIdOf } from '../../../../server/contract/places.ts'
import type { ChatClient } from '../../client.ts'
import { ChatError } from '../../connection/errors.ts'
import { newClientMessageId } from '../../requests/client-message-id.ts'
import { createView, type View } from '../view.ts'
import {
  asOutgoing,
  errorOf,
  factsOf,
  isOf,
  type Outgoing,
  type OutgoingChange,
  type OutgoingMessage,
} from './outgoing.ts'
import { createSender } from './sender.ts'
import {
  type ChangeDraft,
  type Draft,
  type EditDraft,
  isKnownDraft,
  isMessageDraft,
  type OpenOutboxStorage,
  type OutboxOwner,
  type OutboxStorage,
  type StorageNews,
} from './storage.ts'

/** Browsers have been seen to leave an IndexedDB waiting for ever. */
export const storageAnswerMs = 10_000

/** An edit or a deletion on its way. `Saved` is null where the message was taken back before it was sent. */
export interface SavedChange<Saved = Message> {
  /** What it is called in the outbox: `outbox.retry(outboxId)`, `outbox.cancel(outboxId)`. */
  outboxId: string
  /**
   * The message as it is at the server then. Rejected when the change fails, is cancelled or overtaken by another one, or
   * the outbox is closed before.
   */
  saved: Promise<Saved>
}

/** Messages and their changes on their way. Each is kept until the server has acknowledged it, or it is cancelled. */
export interface Outbox extends View<readonly (OutgoingMessage | OutgoingChange)[]> {
  /**
   * Takes a message at once, connected or not. One at a time leaves for each conversation, in the order of the sends.
   * @throws ChatError `outboxFull`
   */
  send(message: { to: string; text: string }): Outgoing
  /**
   * Sends what has failed once more: a message under the same name, an edit on the present text of its message.
   * @returns false where there is none such
   */
  retry(clientMessageId: string): boolean
  /**
   * Takes it back; with a message its changes. @returns false where it is too late: it is on its way or has arrived. What
   * was on its way when the connection was lost may have arrived all the same, and is then shown as the server has it.
   */
  cancel(clientMessageId: string): boolean
}

export interface OutboxOptions {
  client: ChatClient
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

/** A message that is to be changed: by its id, or while it is on its way by its key. */
export interface Target {
  conversationId: string
  id: string | null
  key: string
}

type Named = Pick<Target, 'id' | 'key'>

interface Entry {
  draft: Draft
  /** A crash would not lose it, so that it may leave. */
  isStored: boolean
  /** The lead during which it came in; null: it may have left before, from here or elsewhere. */
  lead: object | null
  settled: Settled
}

/** A promise, and how it ends. Node 20 has no `Promise.withResolvers`. */
interface Settled {
  promise: Promise<Message>
  resolve(message: Message): void
  reject(error: ChatError): void
}

export const createOutbox = (options: OutboxOptions) => {
  const { client, owner, openStorage, onSent, onChange, onError, draftsMax, giveUpAfterMs } = options
  let entries = new Map<string, Entry>()
  /** What was dropped here is so for good, also where another holder was about to change it. */
  const dropped = new Set<string>()
  let isRead = false
  let isClosed = false
  const view = createView(() => Array.from(entries.values(), ({ draft }) => asOutgoing(draft)))
  const changed = () => {
    view.changed()
    onChange()
  }

  const ready = openInTime(openStorage(owner)).then(async (storage) => {
    // Whatever is told while this reads, is told of what was read.
    storage.listen((news) => void ready.then(() => isClosed || take(news)))
    const read = await inTime(storage.read()).catch(async (error) => {
      void storage.close().catch(ignore)
      throw error
    })
    const drafts = read.filter(isKnownDraft)
    const made = [...entries.values()]
    entries = new Map([...drafts.map((draft): [string, Entry] => [draft.clientMessageId, stored(draft)]), ...entries])
    for (const entry of made) followEarlier(entry)
    // What it changes was taken back by another holder, and who made the change did not live to hear of it.
    for (const entry of entries.values()) if (isOfNothing(entry)) drop(entry)
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
    userId: owner.userId,
    giveUpAfterMs,
    lead: async (signal) => (await ready).lead(signal),
    waiting: () => [...entries.values()].filter(isWaiting).map(({ draft }) => draft),
    next: () => nextOf(entries),
    onLeaving({ clientMessageId }) {
      const entry = entries.get(clientMessageId)
      if (entry) entry.lead = null
    },
    onRevision(draft, revision) {
      const entry = entries.get(draft.clientMessageId)
      if (entry) amend(entry, { ...draft, revision })
    },
    onSent: (draft, message) => settle(draft.clientMessageId, message),
    onFailed: (draft, error) => fail(draft.clientMessageId, error),
  })

  /** Keeps the entry's draft as it is now. */
  const store = async (entry: Entry) => {
    const { draft } = entry
    try {
      await (await ready).put(draft)
      // What was written over meanwhile is not kept yet.
      if (entry.draft === draft) entry.isStored = true
      sender.wake()
    } catch (cause) {
      if (isClosed) return
      const error = new ChatError('notStored', { cause })
      entry.draft = { ...entry.draft, failure: factsOf(error) }
      entry.settled.reject(error)
      changed()
    }
  }
  const unstore = (clientMessageId: string, message: Message | null) =>
    // What stays behind is sent again under its own name, and the server knows that.
    ready.then((storage) => storage.remove(clientMessageId, message)).catch(() => {})

  /** Adds what the server would tell again: it need not be kept before this goes on. */
  const amend = (entry: Entry, draft: Draft) => {
    entry.draft = draft
    void store(entry)
  }
  const add = (draft: Draft): Entry => {
    if (isClosed) throw new ChatError('closed')
    if (entries.size >= draftsMax) throw new ChatError('outboxFull')
    const entry: Entry = { draft, isStored: false, lead: sender.currentLead(), settled: settledLater() }
    entries.set(draft.clientMessageId, entry)
    void store(entry)
    changed()
    return entry
  }
  const leave = (clientMessageId: string): Entry | undefined => {
    const entry = entries.get(clientMessageId)
    entries.delete(clientMessageId)
    changed()
    return entry
  }
  /** Another takes its place, or nobody wants it any more. */
  const drop = ({ draft, settled }: Entry, error = new ChatError('cancelled')) => {
    dropped.add(draft.clientMessageId)
    leave(draft.clientMessageId)
    settled.reject(error)
    void unstore(draft.clientMessageId, null)
  }
  /** To be tried, whatever became of it before. */
  const renew = (entry: Entry, draft: Draft) => {
    if (entry.draft.failure) {
      entry.settled = settledLater()
      draft = { ...draft, queuedAt: Date.now(), failure: null }
    }
    entry.draft = draft
    entry.isStored = false
    changed()
    void store(entry)
  }

  const changesOf = (target: Named): Entry[] =>
    [...entries.values()].filter(({ draft }) => !isMessageDraft(draft) && isOf(draft, target))

  /** The changes of this message wait for nothing any more. */
  const resolveChanges = (clientMessageId: string, { id }: Message) => {
    for (const entry of entries.values()) {
      const { draft } = entry
      const waits = !isMessageDraft(draft) && draft.messageId === null && draft.sentAs === clientMessageId
      // Kept before the message is removed: a crash in between must not leave a change of nothing.
      if (waits) amend(entry, { ...draft, messageId: id })
    }
  }
  const settle = (clientMessageId: string, message: Message) => {
    if (!entries.has(clientMessageId)) return
    resolveChanges(clientMessageId, message)
    onSent(message)
    leave(clientMessageId)?.settled.resolve(message)
    void unstore(clientMessageId, message)
  }
  const fail = (clientMessageId: string, error: ChatError) => {
    const entry = entries.get(clientMessageId)
    if (!entry) return
    const { draft } = entry
    const later = draft.type === 'edit' ? laterEdit(draft) : undefined
    if (later) {
      // The last text wins; it is made on what its writer saw of others' edits.
      drop(entry, error)
      return amend(later, { ...(later.draft as EditDraft), revision: (draft as EditDraft).revision })
    }
    entry.draft = { ...draft, failure: factsOf(error) }
    entry.settled.reject(error)
    changed()
    void store(entry)
  }
  /** The next edit of the same message that waits behind this one. */
  const laterEdit = (draft: EditDraft): Entry | undefined => {
    const edits = changesOf(targetOf(draft)).filter((entry) => entry.draft.type === 'edit' && !entry.draft.failure)
    return edits[edits.findIndex((entry) => entry.draft.clientMessageId === draft.clientMessageId) + 1]
  }

  /** An edit that was made before the storage was read is made on what the earlier ones in there make. */
  const followEarlier = (entry: Entry) => {
    const { draft } = entry
    if (draft.type !== 'edit') return
    const edits = changesOf(targetOf(draft)).filter((each) => each.draft.type === 'edit' && !each.draft.failure)
    const earlier = edits[edits.indexOf(entry) - 1]?.draft as EditDraft | undefined
    if (earlier) amend(entry, { ...draft, revision: earlier.revision === null ? null : earlier.revision + 1 })
  }

  const take = (news: StorageNews) => {
    if (news.type === 'put') {
      if (!isKnownDraft(news.draft)) return
      if (dropped.has(news.draft.clientMessageId)) return void unstore(news.draft.clientMessageId, null)
      const entry = entries.get(news.draft.clientMessageId)
      if (entry) {
        entry.draft = news.draft
        if (news.draft.failure) entry.settled.reject(errorOf(news.draft.failure))
      } else entries.set(news.draft.clientMessageId, stored(news.draft))
      changed()
      return sender.wake()
    }
    const { clientMessageId, message } = news
    if (message) resolveChanges(clientMessageId, message)
    // Taken back elsewhere, while it was changed here.
    else cancelChanges({ id: null, key: clientMessageId })
    if (message && entries.has(clientMessageId)) onSent(message)
    const entry = leave(clientMessageId)
    if (message) entry?.settled.resolve(message)
    else entry?.settled.reject(new ChatError('cancelled'))
  }

  /** Nobody can have sent it as it is now: its text may still be another. */
  const isUnsent = ({ draft, lead }: Entry): boolean =>
    // What the server has refused it does not have; what could not be sent for too long it may have.
    draft.failure ? draft.failure.kind !== 'timedOut' : lead !== null && lead === sender.currentLead()

  const isOfNothing = ({ draft }: Entry): boolean =>
    !isMessageDraft(draft) && draft.messageId === null && !entries.has(draft.sentAs ?? '')
  const cancelChanges = (target: Named) => {
    for (const entry of changesOf(target)) drop(entry)
  }
  const retry = (clientMessageId: string): boolean => {
    const entry = entries.get(clientMessageId)
    if (isClosed || !entry?.draft.failure) return false
    const { draft } = entry
    renew(entry, draft.type === 'edit' ? { ...draft, revision: null } : draft)
    return true
  }
  const cancel = (clientMessageId: string): boolean => {
    const entry = entries.get(clientMessageId)
    if (isClosed || !entry || sender.isSending(clientMessageId)) return false
    const { draft } = entry
    if (isMessageDraft(draft)) cancelChanges({ id: null, key: clientMessageId })
    const later = draft.type === 'edit' ? laterEdit(draft) : undefined
    if (later) amend(later, { ...(later.draft as EditDraft), revision: null })
    drop(entry)
    return true
  }

  const waitingMessage = ({ id, key }: Target): Entry | undefined => {
    if (id !== null) return undefined
    const entry = entries.get(key)
    if (!entry) throw new ChatError('unknownMessage')
    return entry
  }
  const changeDraft = ({ conversationId, id, key }: Target) => ({
    clientMessageId: newClientMessageId(),
    conversationId,
    messageId: id,
    sentAs: id === null ? key : null,
    queuedAt: Date.now(),
    failure: null,
  })

  return {
    getSnapshot: view.getSnapshot,
    subscribe: view.subscribe,
    send: (({ to, text }) => {
      const draft: Draft = {
        type: 'send',
        clientMessageId: newClientMessageId(),
        conversationId: conversationIdOf(owner.userId, to),
        text,
        queuedAt: Date.now(),
        failure: null,
      }
      return { clientMessageId: draft.clientMessageId, sent: add(draft).settled.promise }
    }) satisfies Outbox['send'],
    retry,
    cancel,
    /** @param revision the one that its writer saw @throws ChatError `messageDeleted`, `unknownMessage`, `outboxFull` */
    edit(target: Target, revision: number, text: string): SavedChange {
      if (isClosed) throw new ChatError('closed')
      const changes = changesOf(target)
      if (changes.some(({ draft }) => draft.type === 'delete' && !draft.failure)) throw new ChatError('messageDeleted')
      const message = waitingMessage(target)
      for (const entry of changes.filter(({ draft }) => draft.failure)) drop(entry)
      const last = changes.findLast(({ draft }) => !draft.failure) ?? message
      if (last && isUnsent(last)) {
        renew(last, { ...(last.draft as Exclude<Draft, { type: 'delete' }>), text })
        return savedChange(last)
      }
      if (message?.draft.failure) retry(message.draft.clientMessageId)
      const before = last?.draft.type === 'edit' ? last.draft.revision : revision - 1
      return savedChange(
        add({ ...changeDraft(target), type: 'edit', text, revision: before === null ? null : before + 1 }),
      )
    },
    /** A message that has not left is taken back. @throws ChatError `unknownMessage`, `outboxFull` */
    delete(target: Target): SavedChange<Message | null> {
      if (isClosed) throw new ChatError('closed')
      const message = waitingMessage(target)
      if (message && cancel(target.key)) return { outboxId: target.key, saved: Promise.resolve(null) }
      const changes = changesOf(target)
      const same = changes.find(({ draft }) => draft.type === 'delete' && !draft.failure)
      if (same) return savedChange(same)
      for (const entry of changes) if (entry.draft.failure || isUnsent(entry)) drop(entry)
      return savedChange(add({ ...changeDraft(target), type: 'delete' }))
    },
    /** It came in by another way than as the answer to its send. */
    async confirm(message: Message) {
      const { clientMessageId } = message
      if (clientMessageId === null) return
      // It may be one of those that are still being read.
      if (!isRead) await ready.catch(ignore)
      if (entries.get(clientMessageId)?.draft.conversationId === message.conversationId)
        settle(clientMessageId, message)
      else resolveChanges(clientMessageId, message)
    },
    /** What is not sent stays where it is kept. Resolves when nothing is being written any more. */
    async close() {
      isClosed = true
      sender.close()
      view.stop()
      for (const { settled } of entries.values()) settled.reject(new ChatError('closed'))
      await inTime(ready.then((storage) => storage.close())).catch(() => {})
    },
  }
}

export type ChatOutbox = ReturnType<typeof createOutbox>

const ignore = () => {}

/** One that opens later is closed again: what it was to keep has failed by then. */
const openInTime = (opening: Promise<OutboxStorage>): Promise<OutboxStorage> =>
  inTime(opening).catch((error) => {
    opening.then((storage) => storage.close()).catch(ignore)
    throw error
  })

const inTime = <Value>(work: Promise<Value>): Promise<Value> =>
  new Promise((resolve, reject) => {
    const late = new Error(`The storage has not answered within ${storageAnswerMs / 1_000} s`)
    const timer = setTimeout(reject, storageAnswerMs, late)
    work.finally(() => clearTimeout(timer)).then(resolve, reject)
  })

const settledLater = (): Settled => {
  const settled = {} as Settled
  settled.promise = new Promise((resolve, reject) => Object.assign(settled, { resolve, reject }))
  // Who looks at the outbox sees there what fails.
  settled.promise.catch(ignore)
  return settled
}

const stored = (draft: Draft): Entry => ({ draft, isStored: true, lead: null, settled: settledLater() })

const savedChange = ({ draft, settled }: Entry): SavedChange => ({
  outboxId: draft.clientMessageId,
  saved: settled.promise,
})

const targetOf = ({ conversationId, messageId, sentAs }: ChangeDraft): Target => ({
  conversationId,
  id: messageId,
  key: sentAs ?? '',
})

const isWaiting = ({ draft, isStored }: Entry): boolean => isStored && draft.failure === null

/** What may leave now, in order: what is still being kept holds up its conversation. */
const nextOf = (entries: Map<string, Entry>): Draft[] => {
  const held = new Set<string>()
  const next: Draft[] = []
  for (const { draft, isStored } of entries.values()) {
    const { conversationId, failure } = draft
    if (failure !== null || held.has(conversationId)) continue
    if (!isStored) held.add(conversationId)
    // A change of a message that has failed waits for what becomes of it, and holds up nothing.
    else if (isMessageDraft(draft) || draft.messageId !== null) next.push(draft)
  }
  return next
}
