import { z } from 'zod'
import type { ConversationId } from './ids.ts'
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

export type ChatEvent =
  | ReadyEvent
  | CaughtUpEvent
  | { type: 'message'; message: Message }
  | { type: 'receipt'; receipt: Receipt }
