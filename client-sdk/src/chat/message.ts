import type { Message } from '../../../server/contract/index.ts'
import type { ChatError } from '../connection/errors.ts'
import { isOf, type OutgoingChange, type OutgoingMessage } from './outbox/outgoing.ts'
import type { People } from './people.ts'

/** A message as it is shown. */
export interface ChatMessage {
  /** Stays the same from the moment it is sent: fits a list's keys. */
  key: string
  /** Null until the server has it, and all before it are here. */
  id: string | null
  /** Its number in the conversation; null until the server has it, and all before it are here. */
  seq: number | null
  conversationId: string
  sender: string
  /** The sender's display name, as it is now. */
  senderName: string
  /** With an edit of its own that is being saved: the new text. Empty once it was deleted. */
  text: string
  /** Counts the texts that the server has: 1 as it was sent, one more with each edit. */
  revision: number
  /** When its text was last edited; null: never. */
  editedAt: Date | null
  /** When it was deleted; null: it was not. It keeps its place. */
  deletedAt: Date | null
  /** When the server took it; until then, when it was sent. */
  sentAt: Date
  /** When it last changed: ordered, otherwise opaque; 0 until the server has it. */
  version: number
  /**
   * Own messages go from `sending` over `sent` (the server has it, and it has its place) and `delivered` (a device of every
   * other member has it) to `read`, or to `failed`. Those of others are `received`.
   */
  status: 'sending' | 'failed' | 'sent' | 'delivered' | 'read' | 'received'
  /** Why it failed. */
  error: ChatError | null
  /** An edit or deletion of this message that the server has not acknowledged; null: none. */
  change: MessageChange | null
}

export interface MessageChange {
  /** What it is called in the outbox: `outbox.retry(outboxId)`, `outbox.cancel(outboxId)`. */
  outboxId: string
  kind: 'edit' | 'delete'
  /** A failed one waits there until it is tried again, replaced or cancelled. */
  status: 'sending' | 'failed'
  /** Why it failed, such as `conflict`: the message was edited meanwhile on another device. */
  error: ChatError | null
  /** The text that an edit gives to the message; null for a deletion. */
  text: string | null
}

export const asShown = (
  { clientMessageId, delivered, read, ...message }: Message,
  viewer: string,
  people: People,
): ChatMessage => {
  const { id, sender } = message
  const isOwn = sender === viewer
  return {
    ...message,
    key: (isOwn && clientMessageId) || id,
    senderName: people.nameOf(sender),
    status: isOwn ? (read ? 'read' : delivered ? 'delivered' : 'sent') : 'received',
    error: null,
    change: null,
  }
}

export const asSending = (outgoing: OutgoingMessage, sender: string, people: People): ChatMessage => {
  const { clientMessageId, conversationId, text, queuedAt, status, error } = outgoing
  return {
    key: clientMessageId,
    id: null,
    seq: null,
    conversationId,
    sender,
    senderName: people.nameOf(sender),
    text,
    revision: 1,
    editedAt: null,
    deletedAt: null,
    sentAt: queuedAt,
    version: 0,
    status,
    error,
    change: null,
  }
}

/** Acknowledged, but others are missing before it: its number would stand behind a hole. */
export const asPlaceless = (message: ChatMessage): ChatMessage => ({
  ...message,
  id: null,
  seq: null,
  version: 0,
  status: 'sending',
})

const steps: ChatMessage['status'][] = ['sent', 'delivered', 'read']

/** Of two states of one message the later one, with the status that got further (P6). */
export const latest = (known: ChatMessage | undefined, news: ChatMessage): ChatMessage => {
  if (!known) return news
  // A restored store gives the number to another message.
  if (Number(news.sentAt) !== Number(known.sentAt)) return news.sentAt > known.sentAt ? news : known
  const later = news.version > known.version ? news : known
  const { status } = steps.indexOf(news.status) > steps.indexOf(known.status) ? news : known
  return later.status === status ? later : { ...later, status }
}

/** Another state of the same message, and a later one. */
export const isLaterState = (message: Message, than: Message | null): boolean =>
  than !== null && message.seq === than.seq && message.version > than.version

/** The message as the last of its own changes leaves it. */
export const withChange = (message: ChatMessage, changes: readonly OutgoingChange[]): ChatMessage => {
  const last = changes.findLast((change) => isOf(change, message))
  if (!last) return message
  const { clientMessageId: outboxId, type: kind, status, error, text } = last
  const shown = { ...message, change: { outboxId, kind, status, error, text } }
  if (message.deletedAt) return shown
  if (text !== null) return { ...shown, text }
  return status === 'failed' ? shown : { ...shown, text: '', deletedAt: last.queuedAt }
}
