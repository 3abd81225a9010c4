import { asChatError } from '../connection/errors.ts'
import { createRetry } from '../connection/retry.ts'

/** Gathers what was taken, so that a burst of messages is acknowledged by one call. */
const gatherMs = 50
/** The server takes so many acks at once. */
const perCallMax = 100

export type DeliveryAck = { conversationId: string; seq: number }

/** Tells the server how far this user has her messages. One call at a time; it matters until it has arrived once. */
export const createDeliveryAcks = (send: (acks: DeliveryAck[]) => Promise<unknown>) => {
  /** What the server is not known to know. */
  const seqs = new Map<string, number>()
  /** For more to gather, or for an answer. */
  let isWaiting = false
  /** Of several, one that is refused hides itself among the others: until it is found, each is sent alone. */
  let perCall = perCallMax
  const retry = createRetry(() => void sendNext())

  const all = (): DeliveryAck[] => Array.from(seqs, ([conversationId, seq]) => ({ conversationId, seq }))
  const settle = (acks: DeliveryAck[]) => {
    for (const { conversationId, seq } of acks) if (seqs.get(conversationId) === seq) seqs.delete(conversationId)
  }
  const gather = () => {
    isWaiting = seqs.size > 0
    if (isWaiting) retry.runIn(gatherMs)
    else perCall = perCallMax
  }
  const sendNext = async () => {
    const acks = all().slice(0, perCall)
    if (acks.length === 0) return gather()
    try {
      await send(acks)
      retry.succeeded()
      settle(acks)
      gather()
    } catch (error) {
      const refusal = asChatError(error)
      if (!refusal.retryable) {
        if (acks.length === 1) settle(acks)
        perCall = acks.length === 1 ? perCallMax : 1
      }
      retry.failed(refusal)
    }
  }

  return {
    add(conversationId: string, seq: number) {
      seqs.set(conversationId, Math.max(seq, seqs.get(conversationId) ?? 0))
      if (!isWaiting) gather()
    },
    /** By conversation, how far messages were taken that the server may still take for undelivered. */
    unconfirmed: (): ReadonlyMap<string, number> => seqs,
    /** The server numbers this conversation anew. */
    forget: (conversationId: string) => seqs.delete(conversationId),
    /** They were another user's. */
    clear() {
      seqs.clear()
      perCall = perCallMax
    },
    /** Sends all that there is, once. Resolves when the server has answered, whatever it has said. */
    async flush() {
      retry.stop()
      isWaiting = true
      const calls: Promise<void>[] = []
      for (let rest = all(); rest.length > 0; rest = rest.slice(perCallMax)) {
        const acks = rest.slice(0, perCallMax)
        calls.push(send(acks).then(() => settle(acks)))
      }
      await Promise.allSettled(calls)
      gather()
    },
  }
}
export type DeliveryAcks = ReturnType<typeof createDeliveryAcks>
