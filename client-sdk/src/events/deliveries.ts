import { backoffMs } from '../connection/backoff.ts'
import { asChatError } from '../connection/errors.ts'

/** Gathers what was taken, so that a burst of messages is acknowledged by one call. */
const gatherMs = 50
/** The server takes so many marks at once. */
const perCallMax = 100

export type Mark = { conversationId: string; seq: number }

/** Tells the server how far this user has her messages. One call at a time; it matters until it has arrived once. */
export const createDeliveries = (send: (marks: Mark[]) => Promise<unknown>) => {
  /** What the server is not known to know. */
  const seqs = new Map<string, number>()
  /** For more to gather, or for an answer. */
  let waiting = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let failures = 0
  /** Of several, one that is refused hides itself among the others: until it is found, each is said alone. */
  let perCall = perCallMax

  const all = (): Mark[] => Array.from(seqs, ([conversationId, seq]) => ({ conversationId, seq }))
  const settle = (marks: Mark[]) => {
    for (const { conversationId, seq } of marks) if (seqs.get(conversationId) === seq) seqs.delete(conversationId)
  }
  const wait = (ms: number) => {
    clearTimeout(timer)
    waiting = seqs.size > 0
    if (!waiting) perCall = perCallMax
    if (waiting) timer = setTimeout(sayNext, ms)
  }
  const sayNext = async () => {
    const marks = all().slice(0, perCall)
    if (marks.length === 0) return wait(gatherMs)
    try {
      await send(marks)
      failures = 0
      settle(marks)
      wait(gatherMs)
    } catch (error) {
      const refusal = asChatError(error)
      if (!refusal.retryable) {
        if (marks.length === 1) settle(marks)
        perCall = marks.length === 1 ? perCallMax : 1
      }
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
    clear() {
      seqs.clear()
      perCall = perCallMax
    },
    /** Says all that there is to say, once. Resolves when the server has answered, whatever it has said. */
    async flush() {
      clearTimeout(timer)
      waiting = true
      const calls: Promise<void>[] = []
      for (let rest = all(); rest.length > 0; rest = rest.slice(perCallMax)) {
        const marks = rest.slice(0, perCallMax)
        calls.push(send(marks).then(() => settle(marks)))
      }
      await Promise.allSettled(calls)
      wait(gatherMs)
    },
  }
}
export type Deliveries = ReturnType<typeof createDeliveries>
