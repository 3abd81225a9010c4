import type { Message } from '../../../server/contract/index.ts'
import type { ChatError } from '../errors.ts'
import type { OutgoingMessage } from './outbox.ts'

/** A message as it is shown. */
export interface ChatMessage {
  /** Stays the same from the moment it is sent: fits a list's keys. */
  key: string
  /** Null until the server has it. */
  id: string | null
  /** Its number in the conversation; null until the server has it. */
  seq: number | null
  conversationId: string
  sender: string
  text: string
  /** When the server took it; until then, when it was sent. */
  sentAt: Date
  /**
   * Own messages go from `sending` over `sent` (the server has it) and `delivered` (a device of every other member has
   * it) to `read`, or to `failed`. Those of others are `received`.
   */
  status: 'sending' | 'failed' | 'sent' | 'delivered' | 'read' | 'received'
  /** Why it failed. */
  error: ChatError | null
}

export const asShown = (message: Message, viewer: string): ChatMessage => {
  const { id, seq, conversationId, sender, text, sentAt, clientMessageId, delivered, read } = message
  const isOwn = sender === viewer
  return {
    key: (isOwn && clientMessageId) || id,
    id,
    seq,
    conversationId,
    sender,
    text,
    sentAt,
    status: isOwn ? (read ? 'read' : delivered ? 'delivered' : 'sent') : 'received',
    error: null,
  }
}

export const asSending = (outgoing: OutgoingMessage, sender: string): ChatMessage => {
  const { clientMessageId, conversationId, text, queuedAt, status, error } = outgoing
  return { key: clientMessageId, id: null, seq: null, conversationId, sender, text, sentAt: queuedAt, status, error }
}

const steps: ChatMessage['status'][] = ['sent', 'delivered', 'read']

/** Of two states of one message the one that got further (P6). */
export const further = (a: ChatMessage | undefined, b: ChatMessage): ChatMessage =>
  a && steps.indexOf(a.status) > steps.indexOf(b.status) ? a : b
