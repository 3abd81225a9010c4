import {
  ChatError,
  type ConversationId,
  type MarkDelivered,
  type MarkRead,
  messagePlace,
  type Receipt,
  type UserId,
} from '../contract/index.ts'
import { type Open, openToWrite } from './conversations.ts'
import { mayRead } from './intervals.ts'
import { openToRead } from './messages.ts'
import type { MessageStore, Ports } from './ports.ts'

type Move = Parameters<MessageStore['advance']>[0][number]

/** Up to and including this message; the members are told if it moved anything. @returns her receipt as it is now. */
export const markRead =
  (ports: Ports, open: Open) =>
  async (caller: UserId, { messageId }: MarkRead): Promise<Receipt> => {
    ports.rates.takeNow(ports.rules.call, caller)
    const { conversationId, seq } = messagePlace(messageId)
    await mustHave(ports, open, caller, [{ conversationId, seq }])
    await advance(ports, [{ conversationId, userId: caller, deliveredSeq: seq, readSeq: seq }])
    const receipts = await ports.store.receipts([conversationId])
    return receipts.find(({ userId }) => userId === caller) as Receipt
  }

/** All or, where one is not the caller's, none. @returns those that moved. */
export const markDelivered =
  (ports: Ports, open: Open) =>
  async (caller: UserId, marks: MarkDelivered): Promise<Receipt[]> => {
    ports.rates.takeNow(ports.rules.call, caller)
    await mustHave(ports, open, caller, marks)
    return advance(
      ports,
      marks.map(({ conversationId, seq }) => ({ conversationId, userId: caller, deliveredSeq: seq, readSeq: 0 })),
    )
  }

/** Who may not read it learns the same as of a message that is not there (P9). */
const mustHave = async ({ store }: Ports, open: Open, caller: UserId, marks: MarkDelivered) => {
  const opened = await Promise.all(marks.map((mark) => openToRead(open, caller, mark)))
  const areReadable = opened.every(
    (conversation, i) => openToWrite(conversation) && mayRead(conversation.intervals, marks[i]!.seq),
  )
  const found = areReadable ? await store.messagesAt(marks) : []
  const wanted = new Set(marks.map(({ conversationId, seq }) => `${conversationId}:${seq}`))
  if (found.length < wanted.size) throw new ChatError('unknownMessage')
}

const advance = async ({ store, bus }: Pick<Ports, 'store' | 'bus'>, moves: Move[]): Promise<Receipt[]> => {
  const moved = await store.advance(moves)
  for (const receipt of moved) {
    const { conversationId, version } = receipt
    bus.publish(conversationId, { kind: 'receipt', version, conversationId, receipt })
  }
  return moved
}

/** Gathers what the feeds hand out, so that a burst of messages moves a receipt once. */
export interface DeliveryMarks {
  note(userId: UserId, conversationId: ConversationId, seq: number): void
  /** Resolves when all that was noted is stored. */
  flush(): Promise<void>
}

/** A first mark is stored this soon, ... */
const gatherMs = 50
/** ... and the next of the same reader in the same conversation this late: told to all members, marks cost as messages do. */
const againMs = 1_000

export const createDeliveryMarks = (ports: Pick<Ports, 'store' | 'bus' | 'clock' | 'log'>): DeliveryMarks => {
  const { clock, log } = ports
  const noted = new Map<string, { move: Move; dueAt: number }>()
  const storedAt = new Map<string, number>()
  let isWaiting = false

  const wait = () => {
    if (isWaiting || noted.size === 0) return
    isWaiting = true
    clock.setTimeout(() => {
      isWaiting = false
      const now = clock.now()
      for (const [key, at] of storedAt) if (at + againMs <= now || at > now) storedAt.delete(key)
      // A clock that was set back must not hold marks until it is where it was.
      const isDue = (dueAt: number) => dueAt <= now || dueAt > now + againMs
      void store(Array.from(noted).filter(([, { dueAt }]) => isDue(dueAt))).finally(wait)
    }, gatherMs)
  }

  const store = async (due: [key: string, { move: Move }][]) => {
    if (due.length === 0) return
    for (const [key] of due) {
      noted.delete(key)
      storedAt.set(key, clock.now())
    }
    const moves = due.map(([, { move }]) => move)
    try {
      await advance(ports, moves)
    } catch (error) {
      log.warn({ error }, 'cannot store what was delivered; trying again')
      for (const { userId, conversationId, deliveredSeq } of moves) note(userId, conversationId, deliveredSeq)
    }
  }

  const note = (userId: UserId, conversationId: ConversationId, seq: number) => {
    const key = `${userId} ${conversationId}`
    const known = noted.get(key)
    if (known) {
      known.move.deliveredSeq = Math.max(known.move.deliveredSeq, seq)
      return
    }
    noted.set(key, {
      move: { conversationId, userId, deliveredSeq: seq, readSeq: 0 },
      dueAt: clock.now() + (storedAt.has(key) ? againMs : gatherMs),
    })
    wait()
  }

  return { note, flush: () => store([...noted]) }
}
