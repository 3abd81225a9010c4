import { backoffMs } from './backoff.ts'
import { asChatError } from './errors.ts'

/** Gathers what was taken, so that a burst of messages is acknowledged by one call. */
const gatherMs = 50
const perCall = 100

export type Mark = { conversationId: string; seq: number }

/** Tells the server how far this user has her messages. One call at a time; it matters until it has arrived once. */
export const createDeliveries = (send: (marks: Mark[]) => Promise<unknown>) => {
  /** What the server is not known to know. */
  const seqs = new Map<string, number>()
  /** For more to gather, or for an answer. */
  let waiting = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let failures = 0

  const next = (): Mark[] => [...seqs].slice(0, perCall).map(([conversationId, seq]) => ({ conversationId, seq }))
  const settle = (marks: Mark[]) => {
    for (const { conversationId, seq } of marks) if (seqs.get(conversationId) === seq) seqs.delete(conversationId)
  }
  const wait = (ms: number) => {
    waiting = seqs.size > 0
    if (waiting) timer = setTimeout(flush, ms)
  }
  const flush = async () => {
    const marks = next()
    if (marks.length === 0) return wait(gatherMs)
    try {
      await send(marks)
      failures = 0
      settle(marks)
      wait(gatherMs)
    } catch (error) {
      const refusal = asChatError(error)
      if (!refusal.retryable) settle(marks)
      wait(backoffMs(++failures, refusal))
    }
  }

  return {
    note(conversationId: string, seq: number) {
      seqs.set(conversationId, Math.max(seq, seqs.get(conversationId) ?? 0))
      if (!waiting) wait(gatherMs)
    },
    /** How far messages were taken that the server may still take for undelivered. */
    unconfirmed: (): ReadonlyMap<string, number> => seqs,
    /** The server numbers this conversation anew. */
    forget: (conversationId: string) => seqs.delete(conversationId),
    /** They were another user's. */
    clear: () => seqs.clear(),
    /** Says what there is to say, and waits for nothing. */
    stop() {
      clearTimeout(timer)
      if (seqs.size > 0) send(next()).catch(() => {})
      seqs.clear()
    },
  }
}
export type Deliveries = ReturnType<typeof createDeliveries>
