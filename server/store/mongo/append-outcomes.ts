import type { Draft, StoredMessage } from '../../domain/ports.ts'
import { toMessage } from './documents.ts'
import type { MessageDocument } from './schema.ts'
import type { Appending } from './tails.ts'
import type { Outcome } from './writes.ts'

/** A place in its conversation where a message may be, or turn up: nobody knows. */
export interface PossiblePlace {
  seq: number
  version: number
  /** By `performance.now()`. */
  givenAt: number
}

export interface Append extends Appending {
  type: 'append'
  places: PossiblePlace[]
}

export const appendOf = (draft: Draft): Append => ({ type: 'append', draft, places: [], collided: false })

type Appended = { message: StoredMessage; repeated: boolean }
export type AppendOutcome = Outcome<Appended> & { document?: MessageDocument }

export const stored = (document: MessageDocument, repeated = false): AppendOutcome => ({
  type: 'done',
  version: document.version,
  result: { message: toMessage(document), repeated },
  document,
})

/** What a repeat is known by. */
export const clientKey = (message: {
  conversationId: string
  sender: string
  clientMessageId?: string | null
}): string => `${message.conversationId} ${message.sender} ${message.clientMessageId}`
