import type { Message } from '../../../server/contract/index.ts'
import type { ErrorFacts } from '../errors.ts'

/** A message on its way, as it is kept: plain JSON. */
export interface Draft {
  clientMessageId: string
  conversationId: string
  text: string
  /** When it was given to the outbox, in milliseconds since 1970. */
  queuedAt: number
  /** Why it was given up; null: it is to be sent. */
  failure: (ErrorFacts & { message: string }) | null
}

/** What another holder of the same storage did to it. */
export type StorageNews =
  | { type: 'put'; draft: Draft }
  /** @property message what it became; null: it was cancelled. */
  | { type: 'removed'; clientMessageId: string; message: Message | null }

/** Where an outbox keeps what is not acknowledged yet. Its holders may be many, such as the tabs of a browser. */
export interface OutboxStorage {
  /** All, in the order in which they were first put. */
  read(): Promise<Draft[]>
  /** Behind all others, or in the place of the one with the same `clientMessageId`. Resolves when a crash would not lose it. */
  put(draft: Draft): Promise<void>
  /** @param message what it became; null: it was cancelled. */
  remove(clientMessageId: string, message: Message | null): Promise<void>
  /** Calls back with what other holders do. */
  listen(onNews: (news: StorageNews) => void): void
  /** Resolves when this holder alone may send what is in here. It may until the signal aborts. */
  lead(signal: AbortSignal): Promise<void>
  /** Resolves when all that was asked for is done. */
  close(): Promise<void>
}

/** Whose outbox it is. Each has a storage of its own. */
export interface OutboxOwner {
  /** Of the server. */
  url: string
  username: string
}

/** @throws what the platform throws; the messages of this outbox then fail as `notStored` */
export type OpenOutboxStorage = (owner: OutboxOwner) => Promise<OutboxStorage>

/** For a storage that only ever has one holder. */
export const alone: Pick<OutboxStorage, 'listen' | 'lead'> = {
  listen() {},
  lead: async () => {},
}

/** Gone with the program. */
export const memoryStorage: OpenOutboxStorage = async () => {
  const drafts = new Map<string, Draft>()
  return {
    ...alone,
    read: async () => [...drafts.values()],
    async put(draft) {
      drafts.set(draft.clientMessageId, draft)
    },
    async remove(clientMessageId) {
      drafts.delete(clientMessageId)
    },
    async close() {},
  }
}
