import {
  ChatError,
  type ConversationId,
  type MarkDelivered,
  type MarkRead,
  messagePlace,
  type Receipt,
  type Username,
} from '../contract/index.ts'
import type { OpenConversation } from './conversations.ts'
import type { Ports } from './ports.ts'

type Open = (caller: Username, address: string) => Promise<OpenConversation>

/** Up to and including this message; the members are told if it moved anything. @returns her receipt as it is now. */
export const markRead =
  (ports: Ports, open: Open) =>
  async (caller: Username, { messageId }: MarkRead): Promise<Receipt> => {
    const { conversationId, seq } = messagePlace(messageId)
    await mustHave(ports, open, caller, conversationId, seq)
    await advance(ports, open, caller, [{ conversationId, deliveredSeq: seq, readSeq: seq }])
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
      caller,
      marks.map(({ conversationId, seq }) => ({ conversationId, deliveredSeq: seq, readSeq: 0 })),
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

const advance = async (
  { store, bus }: Ports,
  open: Open,
  username: Username,
  marks: { conversationId: ConversationId; deliveredSeq: number; readSeq: number }[],
): Promise<Receipt[]> => {
  const moved = await store.advance(marks.map((mark) => ({ ...mark, username })))
  for (const receipt of moved) {
    const { members } = await open(username, receipt.conversationId)
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
  const noted = new Map<Username, Map<ConversationId, number>>()
  let waiting = false

  const schedule = (ms: number) => {
    if (waiting) return
    waiting = true
    ports.clock.setTimeout(() => {
      waiting = false
      void flush()
    }, ms)
  }

  const flushUser = async (username: Username, seqs: Map<ConversationId, number>) => {
    const marks = [...seqs].map(([conversationId, deliveredSeq]) => ({ conversationId, deliveredSeq, readSeq: 0 }))
    try {
      await advance(ports, open, username, marks)
    } catch (error) {
      ports.log.warn({ error, username }, 'cannot store what was delivered; trying again')
      for (const [conversationId, seq] of seqs) note(username, conversationId, seq, retryMs)
    }
  }

  const flush = async () => {
    const batch = [...noted]
    noted.clear()
    await Promise.all(batch.map(([username, seqs]) => flushUser(username, seqs)))
  }

  const note = (username: Username, conversationId: ConversationId, seq: number, ms = gatherMs) => {
    const seqs = noted.get(username) ?? new Map<ConversationId, number>()
    noted.set(username, seqs)
    seqs.set(conversationId, Math.max(seq, seqs.get(conversationId) ?? 0))
    schedule(ms)
  }

  return { note, flush }
}
