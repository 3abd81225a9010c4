import { z } from 'zod'
import type { Profile } from './accounts.ts'
import type { ConversationId, Version } from './ids.ts'
import type { Message, Receipt } from './messages.ts'

export const OnMessage = z
  .strictObject({
    lastEventId: z
      .string()
      .max(64)
      .optional()
      .describe(
        'The id of the last event that this client took; without it, the replay starts at what was never delivered.',
      ),
    ack: z
      .enum(['server', 'client'])
      .default('server')
      .describe('Who says that a message is delivered: the server when it sends it, or the client by markDelivered.'),
  })
  .default({ ack: 'server' })
export type OnMessage = z.infer<typeof OnMessage>

/**
 * One durable change, at its latest state: what a store returns, the bus carries, the feed gives out and the SDK takes.
 * A new kind of change is a new member of this union. Whoever meets a kind that it does not know passes over it.
 */
export type ChangeOf<MessageState> =
  /** A message that is new to this reader. */
  | { kind: 'message'; version: Version; conversationId: ConversationId; message: MessageState }
  /** A message that this reader may have had: it was edited or deleted. */
  | { kind: 'messageChanged'; version: Version; conversationId: ConversationId; message: MessageState }
  | { kind: 'receipt'; version: Version; conversationId: ConversationId; receipt: Receipt }
  /** The profile of somebody who shares a conversation with this reader, or of the reader. */
  | { kind: 'user'; version: Version; conversationId: null; user: Profile }

/** More was missed here than is replayed: everything after `afterSeq` has to be read by `history` (`after: afterSeq`). */
export interface MissedConversation {
  conversationId: ConversationId
  /** 0: from the beginning. */
  afterSeq: number
}

/**
 * The first event of every subscription. `reset`: in these conversations more was missed than is replayed. All others,
 * and everything from here on, follow without a gap. `overlap`: who comes back with a cursor may get again what has a
 * version above the cursor's less this; left out where nothing comes again.
 */
export type ReadyEvent = { type: 'ready'; overlap?: number } & (
  | { replay: 'complete' }
  | { replay: 'reset'; conversations: MissedConversation[] }
)

/** Once on every subscription: all that was missed has come; what follows is new. */
export type CaughtUpEvent = { type: 'caughtUp' }

/** A change as it travels, named by its `type`; and what a subscription says of itself. Pass over types you do not know. */
export type ChatEvent =
  | ReadyEvent
  | CaughtUpEvent
  | { type: 'message'; message: Message }
  | { type: 'messageChanged'; message: Message }
  | { type: 'receipt'; receipt: Receipt }
  | { type: 'user'; user: Profile }
