import type { Message } from '../../../../server/contract/index.ts'
import { conversationIdOf } from '../../../../server/contract/places.ts'
import type { ChatClient } from '../../client.ts'
import { ChatError } from '../../connection/errors.ts'
import { newClientMessageId } from '../../requests/client-message-id.ts'
import { createView, type View } from '../view.ts'
import { createDrafts, type Entry } from './drafts.ts'
import { asOutgoing, isOf, type Outgoing, type OutgoingChange, type OutgoingMessage } from './outgoing.ts'
import { createSender } from './sender.ts'
import {
  type ChangeDraft,
  type Draft,
  type EditDraft,
  isMessageDraft,
  type MessageDraft,
  type OpenOutboxStorage,
  type OutboxOwner,
} from './storage.ts'

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
  /** What the storage cannot keep fails; otherwise it is sent all the same. */
  mustKeep: boolean
  /** More are refused. */
  draftsMax: number
  /** What could not be sent for so long fails with `timedOut`. */
  giveUpAfterMs: number
  /** Called before it leaves the outbox. */
  onSent(message: Message): void
  onChange(): void
  /** The storage has failed. */
  onError(error: ChatError): void
}

/** A message that is to be changed: by its id, or while it is on its way by its key. */
export interface Target {
  conversationId: string
  id: string | null
  key: string
}

type Named = Pick<Target, 'id' | 'key'>

export const createOutbox = (options: OutboxOptions) => {
  const { client, owner, openStorage, mustKeep, onSent, onChange, onError, draftsMax, giveUpAfterMs } = options
  let isClosed = false
  const view = createView(() => drafts.all().map(({ draft }) => asOutgoing(draft)))

  const drafts = createDrafts({
    owner,
    openStorage,
    mustKeep,
    onChange() {
      view.changed()
      onChange()
    },
    onKept: () => sender.wake(),
    onRead(made) {
      for (const entry of made) followEarlier(entry)
      // What it changes was taken back by another holder, and who made the change did not live to hear of it.
      for (const entry of drafts.all()) if (isOfNothing(entry)) drafts.remove(entry, cancelled())
    },
    onRemoved(clientMessageId, message) {
      if (message) return settle(clientMessageId, message, drafts.forget)
      // Taken back elsewhere, while it was changed here.
      cancelChanges(clientMessageId)
      const entry = drafts.get(clientMessageId)
      if (entry) drafts.forget(entry, cancelled())
    },
    onError,
  })

  const changesOf = (target: Named): Entry[] =>
    drafts.all().filter(({ draft }) => !isMessageDraft(draft) && isOf(draft, target))
  /** The edits that are to be made of the message that this one is an edit of, in order. */
  const editsWith = ({ draft }: Entry): Entry[] =>
    draft.type === 'edit'
      ? changesOf({ id: draft.messageId, key: draft.sentAs ?? '' }).filter(
          ({ draft }) => draft.type === 'edit' && !draft.failure,
        )
      : []
  /** The next edit of the same message that waits behind this one. */
  const laterEdit = (entry: Entry): Entry | undefined => {
    const edits = editsWith(entry)
    return edits[edits.indexOf(entry) + 1]
  }
  const rebase = (edit: Entry, revision: number | null) =>
    void drafts.put(edit, { ...(edit.draft as EditDraft), revision })
  /** An edit that was made before the storage was read is made on what the earlier ones in there make. */
  const followEarlier = (entry: Entry) => {
    const edits = editsWith(entry)
    const earlier = edits[edits.indexOf(entry) - 1]
    if (earlier) rebase(entry, revisionBehind(earlier))
  }

  /** The changes of this message wait for nothing any more. */
  const resolveChanges = (clientMessageId: string, { id }: Message) => {
    // Kept before the message is removed: a crash in between must not leave a change of nothing.
    for (const entry of changesOf({ id: null, key: clientMessageId }))
      if (isOfUnsent(entry)) void drafts.put(entry, { ...entry.draft, messageId: id } as ChangeDraft)
  }
  const cancelChanges = (clientMessageId: string) => {
    for (const entry of changesOf({ id: null, key: clientMessageId })) drafts.remove(entry, cancelled())
  }
  const isOfUnsent = ({ draft }: Entry): boolean => !isMessageDraft(draft) && draft.messageId === null
  const isOfNothing = (entry: Entry): boolean =>
    isOfUnsent(entry) && !drafts.get((entry.draft as ChangeDraft).sentAs ?? '')

  const settle = (clientMessageId: string, message: Message, remove = drafts.remove) => {
    resolveChanges(clientMessageId, message)
    const entry = drafts.get(clientMessageId)
    if (!entry) return
    onSent(message)
    remove(entry, message)
  }
  const fail = (entry: Entry, error: ChatError) => {
    if (!drafts.has(entry)) return
    const later = laterEdit(entry)
    if (!later) return drafts.fail(entry, error)
    // The last text wins; it is made on what its writer saw of others' edits.
    drafts.remove(entry, error)
    rebase(later, (entry.draft as EditDraft).revision)
  }

  const sender = createSender({
    client,
    userId: owner.userId,
    giveUpAfterMs,
    lead: drafts.lead,
    entries: drafts.all,
    onRevision: rebase,
    onSent: ({ draft }, message) => settle(draft.clientMessageId, message),
    onFailed: fail,
  })

  /** Nobody can have sent it as it is now: its text may still be another. */
  const isUnsent = ({ draft, lead }: Entry): boolean =>
    // What the server has refused it does not have; what could not be sent for too long it may have.
    draft.failure ? draft.failure.kind !== 'timedOut' : lead !== null && lead === sender.currentLead()

  const add = (draft: Draft): Entry => {
    if (isClosed) throw new ChatError('closed')
    if (drafts.all().length >= draftsMax) throw new ChatError('outboxFull')
    return drafts.add(draft, sender.currentLead())
  }
  const retry = (clientMessageId: string): boolean => {
    const entry = drafts.get(clientMessageId)
    if (isClosed || !entry?.draft.failure) return false
    drafts.renew(entry, entry.draft.type === 'edit' ? { ...entry.draft, revision: null } : entry.draft)
    return true
  }
  const cancel = (clientMessageId: string): boolean => {
    const entry = drafts.get(clientMessageId)
    if (isClosed || !entry || sender.isSending(entry)) return false
    cancelChanges(clientMessageId)
    const later = laterEdit(entry)
    if (later) rebase(later, null)
    drafts.remove(entry, cancelled())
    return true
  }

  const newDraft = (conversationId: string) => ({
    clientMessageId: newClientMessageId(),
    conversationId,
    queuedAt: Date.now(),
    failure: null,
  })
  const newChange = ({ conversationId, id, key }: Target) => ({
    ...newDraft(conversationId),
    messageId: id,
    sentAs: id === null ? key : null,
  })
  /** What is on its way of this message: itself, where the server does not have it, and its changes. */
  const outgoingOf = (target: Target) => {
    if (isClosed) throw new ChatError('closed')
    const message = target.id === null ? drafts.get(target.key) : undefined
    if (target.id === null && !message) throw new ChatError('unknownMessage')
    const changes = changesOf(target)
    const deletion = changes.find(({ draft }) => draft.type === 'delete' && !draft.failure)
    return { message, changes, deletion }
  }

  return {
    getSnapshot: view.getSnapshot,
    subscribe: view.subscribe,
    send: (({ to, text }) => {
      const draft: Draft = { ...newDraft(conversationIdOf(owner.userId, to)), type: 'send', text }
      return { clientMessageId: draft.clientMessageId, sent: add(draft).settled.promise }
    }) satisfies Outbox['send'],
    retry,
    cancel,
    /** @param revision the one that its writer saw @throws ChatError `messageDeleted`, `unknownMessage`, `outboxFull` */
    edit(target: Target, revision: number, text: string): SavedChange {
      const { message, changes, deletion } = outgoingOf(target)
      if (deletion) throw new ChatError('messageDeleted')
      for (const entry of changes) if (entry.draft.failure) drafts.remove(entry, cancelled())
      const last = changes.findLast(({ draft }) => !draft.failure) ?? message
      if (last && isUnsent(last)) {
        drafts.renew(last, { ...(last.draft as MessageDraft | EditDraft), text })
        return savedChange(last)
      }
      if (message) retry(target.key)
      const madeOn = last?.draft.type === 'edit' ? revisionBehind(last) : revision
      return savedChange(add({ ...newChange(target), type: 'edit', text, revision: madeOn }))
    },
    /** A message that has not left is taken back. @throws ChatError `unknownMessage`, `outboxFull` */
    delete(target: Target): SavedChange<Message | null> {
      const { message, changes, deletion } = outgoingOf(target)
      if (message && cancel(target.key)) return { outboxId: target.key, saved: Promise.resolve(null) }
      if (deletion) return savedChange(deletion)
      for (const entry of changes) if (entry.draft.failure || isUnsent(entry)) drafts.remove(entry, cancelled())
      return savedChange(add({ ...newChange(target), type: 'delete' }))
    },
    /** It came in by another way than as the answer to its send. */
    async confirm(message: Message) {
      const { clientMessageId, conversationId } = message
      if (clientMessageId === null) return
      // It may be one of those that are still being read.
      await drafts.ready.catch(() => {})
      const sameName = drafts.get(clientMessageId)?.draft ?? message
      if (sameName.conversationId === conversationId) settle(clientMessageId, message)
    },
    /** What is not sent stays where it is kept. Resolves when nothing is being written any more. */
    async close() {
      isClosed = true
      sender.close()
      view.stop()
      await drafts.close()
    },
  }
}

export type ChatOutbox = ReturnType<typeof createOutbox>

const cancelled = () => new ChatError('cancelled')

const savedChange = ({ draft, settled }: Entry): SavedChange => ({
  outboxId: draft.clientMessageId,
  saved: settled.promise,
})

/** What its message has once this edit was made; null: nobody knows yet. */
const revisionBehind = ({ draft }: Entry): number | null => {
  const { revision } = draft as EditDraft
  return revision === null ? null : revision + 1
}
