import type { Message } from '../../../../server/contract/index.ts'
import type { ErrorFacts } from '../../connection/errors.ts'

/** Something on its way, as it is kept: plain JSON. */
interface Kept {
  /** Names it in the outbox. Of a message it is also the name by which the server knows a repeat. */
  clientMessageId: string
  conversationId: string
  /** When it was given to the outbox, in milliseconds since 1970. */
  queuedAt: number
  /** Why it was given up; null: it is to be sent. */
  failure: (ErrorFacts & { message: string }) | null
}

/** A message that is to be sent. Those of earlier versions have no `type`. */
export interface MessageDraft extends Kept {
  type?: 'send'
  text: string
}

/** Which message is changed. */
interface Changed {
  /** Null while that message has not been sent itself. */
  messageId: string | null
  /** Under which name it is to be sent; null where the server had it from the beginning. */
  sentAs: string | null
}

/** Another text for a message. */
export interface EditDraft extends Kept, Changed {
  type: 'edit'
  text: string
  /** The revision that the edit is made on; null: the one that the message has when its turn comes. */
  revision: number | null
}

export interface DeleteDraft extends Kept, Changed {
  type: 'delete'
}

export type ChangeDraft = EditDraft | DeleteDraft
export type Draft = MessageDraft | ChangeDraft

export const isMessageDraft = (draft: Draft): draft is MessageDraft => draft.type === undefined || draft.type === 'send'

/** One of a later version's is left alone. */
export const isKnownDraft = (draft: Draft): boolean =>
  isMessageDraft(draft) || draft.type === 'edit' || draft.type === 'delete'

/** What another holder of the same storage did to it. */
export type StorageNews =
  | { type: 'put'; draft: Draft }
  /** @property message the message as it is now that the server has taken it; null: it was cancelled. */
  | { type: 'removed'; clientMessageId: string; message: Message | null }

/** Where an outbox keeps what is not acknowledged yet. Its holders may be many, such as the tabs of a browser. */
export interface OutboxStorage {
  /** All, in the order in which they were first put. */
  read(): Promise<Draft[]>
  /** Behind all others, or in the place of the one with the same `clientMessageId`. Resolves when a crash would not lose it. */
  put(draft: Draft): Promise<void>
  /** @param message the message as it is now that the server has taken it; null: it was cancelled. */
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
  userId: string
}

/** @throws what the platform throws; the messages of a chat that names this storage then fail as `notStored` */
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
