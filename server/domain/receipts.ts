import {
  ChatError,
  type ConversationId,
  type MarkDelivered,
  type MarkRead,
  messagePlace,
  type Receipt,
  type Username,
} from '../contract/index.ts'
import type { Open } from './conversations.ts'
import type { MessageStore, Ports } from './ports.ts'

type Move = Parameters<MessageStore['advance']>[0][number]

/** Up to and including this message; the members are told if it moved anything. @returns her receipt as it is now. */
export const markRead =
  (ports: Ports, open: Open) =>
  async (caller: Username, { messageId }: MarkRead): Promise<Receipt> => {
    const { conversationId, seq } = messagePlace(messageId)
    await mustHave(ports, open, caller, conversationId, seq)
    await advance(ports, open, [{ conversationId, username: caller, deliveredSeq: seq, readSeq: seq }])
    const receipts = await ports.store.receipts([conversationId])
    return receipts.find(({ username }) => username === caller) as Receipt
  }

/** All or, where one is not the caller's, none. @returns those that moved. */
export const markDelivered =
  (ports: Ports, open: Open) =>
  async (caller: Username, marks: MarkDelivered): Promise<Receipt[]> => {
    for (const { conversationId, seq } of marks) await mustHave(ports, open, caller, conversationId, seq)
    return advance(
      ports,
      open,
      marks.map(({ conversationId, seq }) => ({ conversationId, username: caller, deliveredSeq: seq, readSeq: 0 })),
    )
  }

/** Who is not a member learns the same as of a message that is not there (P9). */
const mustHave = async ({ store }: Ports, open: Open, caller: Username, id: ConversationId, seq: number) => {
  await open(caller, id).catch((error: unknown) => {
    if (error instanceof ChatError && !error.retryable) throw new ChatError('unknownMessage')
    throw error
  })
  const lastSeq = (await store.conversation(id))?.lastSeq ?? 0
  if (seq > lastSeq) throw new ChatError('unknownMessage')
}

const advance = async ({ store, bus }: Ports, open: Open, moves: Move[]): Promise<Receipt[]> => {
  const moved = await store.advance(moves)
  for (const receipt of moved) {
    const { members } = await open(receipt.username, receipt.conversationId)
    bus.publish(members, { type: 'receipt', receipt })
  }
  return moved
}

/** Gathers what the feeds hand out, so that a burst of messages moves a receipt once. */
export interface DeliveryMarks {
  note(username: Username, conversationId: ConversationId, seq: number): void
  /** Resolves when all that was noted is stored. */
  flush(): Promise<void>
}

const gatherMs = 200
const retryMs = 1_000

export const createDeliveryMarks = (ports: Ports, open: Open): DeliveryMarks => {
  let noted = new Map<string, Move>()
  let waiting = false

  const schedule = (ms: number) => {
    if (waiting) return
    waiting = true
    ports.clock.setTimeout(() => {
      waiting = false
      void flush()
    }, ms)
  }

  const flush = async () => {
    const moves = [...noted.values()]
    noted = new Map()
    if (moves.length === 0) return
    try {
      await advance(ports, open, moves)
    } catch (error) {
      ports.log.warn({ error }, 'cannot store what was delivered; trying again')
      for (const { username, conversationId, deliveredSeq } of moves) note(username, conversationId, deliveredSeq)
      schedule(retryMs)
    }
  }

  const note = (username: Username, conversationId: ConversationId, seq: number) => {
    const key = `${username} ${conversationId}`
    const move = noted.get(key)
    if (move) move.deliveredSeq = Math.max(move.deliveredSeq, seq)
    else noted.set(key, { conversationId, username, deliveredSeq: seq, readSeq: 0 })
  }

  return {
    note(username, conversationId, seq) {
      note(username, conversationId, seq)
      schedule(gatherMs)
    },
    flush,
  }
}
