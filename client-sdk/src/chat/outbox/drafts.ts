import type { Message } from '../../../../server/contract/index.ts'
import { ChatError, wordsOf } from '../../connection/errors.ts'
import { inTime, orAborted } from '../../connection/sleep.ts'
import { errorOf, factsOf } from './outgoing.ts'
import {
  type Draft,
  isKnownDraft,
  memoryStorage,
  type OpenOutboxStorage,
  type OutboxOwner,
  type OutboxStorage,
  type StorageNews,
} from './storage.ts'

/** Browsers have been seen to leave an IndexedDB waiting for ever. */
export const storageAnswerMs = 10_000

/** A draft, and who waits for it. */
export interface Entry {
  draft: Draft
  /** A crash would not lose it as it is, so that it may leave. */
  isKept: boolean
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

export interface DraftsOptions {
  owner: OutboxOwner
  openStorage: OpenOutboxStorage
  /** What the storage cannot keep fails; otherwise drafts are held in memory and sent all the same. */
  mustKeep: boolean
  onChange(): void
  /** More may leave. */
  onKept(): void
  /** What was kept by earlier programs stands before these now. */
  onRead(made: Entry[]): void
  /** Another holder has removed this one. @param message the message as it is; null: it was taken back */
  onRemoved(clientMessageId: string, message: Message | null): void
  /** The storage has failed. Where it must keep the drafts, it cannot be opened, and each of them says so as well. */
  onError(error: ChatError): void
}

/** The drafts of an outbox in their order, and the storage that keeps them: each change of one is written there. */
export const createDrafts = (options: DraftsOptions) => {
  const { owner, mustKeep, onChange, onKept } = options
  let entries = new Map<string, Entry>()
  /** What was taken back is so for good, also where another holder was about to change it. */
  const takenBack = new Set<string>()
  let isClosed = false
  /** Aborts when the storage has failed and drafts are held in memory alone. */
  const loss = new AbortController()

  /** It says so once. */
  const lose = (cause: unknown) => {
    if (isClosed || loss.signal.aborted) return
    if (!mustKeep) loss.abort()
    const words = mustKeep
      ? 'The outbox cannot be opened'
      : 'Messages that wait to be sent are kept only as long as this page is open'
    options.onError(new ChatError('notStored', { message: `${words}: ${wordsOf(cause)}`, cause }))
  }

  const opening = Promise.resolve(owner).then(options.openStorage)
  const read = async (): Promise<[OutboxStorage, Draft[]]> => {
    const storage = await opening
    // Whatever is told while this reads, is told of what was read.
    storage.listen((news) => void ready.then(() => isClosed || receive(news), ignore))
    return [storage, await storage.read()]
  }
  const openElsewhere = async (cause: unknown): Promise<[OutboxStorage, Draft[]]> => {
    // Also one that opens too late: what it was to keep has failed by then, or is sent without it.
    opening.then((storage) => storage.close()).catch(ignore)
    lose(cause)
    if (mustKeep) throw cause
    return [await memoryStorage(owner), []]
  }
  const reading = answered(read()).catch(openElsewhere)
  const ready = reading.then(([storage, drafts]) => {
    const made = [...entries]
    const known = drafts.filter(isKnownDraft)
    entries = new Map([...known.map((draft) => [draft.clientMessageId, earlier(draft)] as const), ...made])
    options.onRead(made.map(([, entry]) => entry))
    onChange()
    return storage
  })
  ready.catch(ignore)

  const has = (entry: Entry) => entries.get(entry.draft.clientMessageId) === entry
  /** The draft is this one from now on. It may leave when that is kept. */
  const put = async (entry: Entry, draft: Draft) => {
    if (!has(entry)) return
    entry.draft = draft
    entry.isKept = false
    onChange()
    try {
      const written = (await ready).put(draft)
      await (mustKeep ? written : answered(written, loss.signal))
    } catch (cause) {
      if (isClosed) return
      if (mustKeep) return fail(entry, new ChatError('notStored', { cause }))
      lose(cause)
    }
    // What was written over meanwhile is not kept yet.
    if (entry.draft === draft) entry.isKept = true
    onKept()
  }
  /** Resolves when this holder may send: alone, unless the storage is lost. Others do not know then of all it has. */
  const lead = async (signal: AbortSignal) => {
    try {
      await orAborted((await ready).lead(signal), loss.signal)
    } catch (cause) {
      if (!loss.signal.aborted) throw cause
    }
  }
  const fail = (entry: Entry, error: ChatError) => {
    entry.draft = { ...entry.draft, failure: factsOf(error) }
    entry.settled.reject(error)
    onChange()
  }
  const unstore = (clientMessageId: string, message: Message | null) =>
    // What stays behind is sent again under its own name, and the server knows that.
    ready.then((storage) => storage.remove(clientMessageId, message)).catch(ignore)

  /** @param outcome the message as it is; or why nobody waits for it any more */
  const forget = ({ draft, settled }: Entry, outcome: Message | ChatError) => {
    entries.delete(draft.clientMessageId)
    if (outcome instanceof ChatError) {
      takenBack.add(draft.clientMessageId)
      settled.reject(outcome)
    } else settled.resolve(outcome)
    onChange()
  }

  /** What another holder has done. */
  const receive = (news: StorageNews) => {
    if (news.type === 'removed') return options.onRemoved(news.clientMessageId, news.message)
    const { draft } = news
    const { clientMessageId, failure } = draft
    if (!isKnownDraft(draft)) return
    if (takenBack.has(clientMessageId)) return void unstore(clientMessageId, null)
    const entry = entries.get(clientMessageId)
    if (!entry) entries.set(clientMessageId, earlier(draft))
    else {
      entry.draft = draft
      entry.isKept = true
      if (failure) entry.settled.reject(errorOf(failure))
    }
    onChange()
    onKept()
  }

  return {
    ready,
    lead,
    all: (): Entry[] => [...entries.values()],
    /** It was neither acknowledged nor taken back. */
    has,
    get: (clientMessageId: string) => entries.get(clientMessageId),
    add(draft: Draft, lead: object | null): Entry {
      const entry: Entry = { draft, isKept: false, lead, settled: settledLater() }
      entries.set(draft.clientMessageId, entry)
      void put(entry, draft)
      return entry
    },
    put,
    /** It would fail again. */
    fail(entry: Entry, error: ChatError) {
      fail(entry, error)
      void put(entry, entry.draft)
    },
    /** To be tried, whatever became of it before. */
    renew(entry: Entry, draft: Draft) {
      if (!draft.failure) return void put(entry, draft)
      entry.settled = settledLater()
      void put(entry, { ...draft, queuedAt: Date.now(), failure: null })
    },
    remove(entry: Entry, outcome: Message | ChatError) {
      forget(entry, outcome)
      void unstore(entry.draft.clientMessageId, outcome instanceof ChatError ? null : outcome)
    },
    /** As another holder has removed it. */
    forget,
    async close() {
      isClosed = true
      for (const { settled } of entries.values()) settled.reject(new ChatError('closed'))
      await answered(
        ready.then((storage) => storage.close()),
        loss.signal,
      ).catch(ignore)
    },
  }
}
export type Drafts = ReturnType<typeof createDrafts>

const ignore = () => {}

const answered = <Value>(work: Promise<Value>, signal?: AbortSignal): Promise<Value> => {
  const onLate = () => {
    throw new Error(`The storage has not answered within ${storageAnswerMs / 1_000} s`)
  }
  return inTime(work, storageAnswerMs, onLate, signal)
}

const settledLater = (): Settled => {
  const settled = {} as Settled
  settled.promise = new Promise((resolve, reject) => Object.assign(settled, { resolve, reject }))
  // Who looks at the outbox sees there what fails.
  settled.promise.catch(ignore)
  return settled
}

/** Of an earlier program, or another holder. */
const earlier = (draft: Draft): Entry => ({ draft, isKept: true, lead: null, settled: settledLater() })
