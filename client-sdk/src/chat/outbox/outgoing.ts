import type { Message } from '../../../../server/contract/index.ts'
import { ChatError } from '../../connection/errors.ts'
import { type Draft, isMessageDraft } from './storage.ts'

interface OutgoingFacts {
  /** Names it here: `retry`, `cancel`. */
  clientMessageId: string
  conversationId: string
  queuedAt: Date
  status: 'sending' | 'failed'
  /** Why it failed; null while it is being sent. */
  error: ChatError | null
}

/** A message of one's own that is not acknowledged yet. */
export interface OutgoingMessage extends OutgoingFacts {
  type: 'send'
  text: string
}

/** A change of a message of one's own that is not acknowledged yet. */
export interface OutgoingChange extends OutgoingFacts {
  type: 'edit' | 'delete'
  /** Null while that message is on its way itself, ... */
  messageId: string | null
  /** ... under this name; null where the server had it from the beginning. */
  sentAs: string | null
  /** The new text; null for a deletion. */
  text: string | null
}

export interface Outgoing {
  clientMessageId: string
  /** The message as the server stored it. Rejected when it fails, is cancelled, or the outbox is closed before. */
  sent: Promise<Message>
}

/** Whether this change is one of this message, which may have been changed before it was sent. */
export const isOf = (
  { messageId, sentAs }: Pick<OutgoingChange, 'messageId' | 'sentAs'>,
  { id, key }: { id: string | null; key: string },
): boolean => (messageId !== null && messageId === id) || sentAs === key

/** A draft as it is shown. */
export const asOutgoing = (draft: Draft): OutgoingMessage | OutgoingChange => {
  const { clientMessageId, conversationId, queuedAt, failure } = draft
  const facts: OutgoingFacts = {
    clientMessageId,
    conversationId,
    queuedAt: new Date(queuedAt),
    status: failure ? 'failed' : 'sending',
    error: failure && errorOf(failure),
  }
  if (isMessageDraft(draft)) return { ...facts, type: 'send', text: draft.text }
  const { type, messageId, sentAs } = draft
  return { ...facts, type, messageId, sentAs, text: type === 'edit' ? draft.text : null }
}

export const errorOf = (failure: NonNullable<Draft['failure']>) => new ChatError(failure.kind, failure)

/** Why a draft was given up, as it is kept. */
export const factsOf = ({
  kind,
  retryable,
  message,
  retryAfterMs,
  issues,
}: ChatError): NonNullable<Draft['failure']> => ({
  kind,
  retryable,
  message,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
  ...(issues && { issues }),
})

export const isSend = (outgoing: OutgoingMessage | OutgoingChange): outgoing is OutgoingMessage =>
  outgoing.type === 'send'
export const isChange = (outgoing: OutgoingMessage | OutgoingChange): outgoing is OutgoingChange =>
  outgoing.type !== 'send'
