/** Gathers what arrived, so that a burst of messages is acknowledged by one call. */
const gatherMs = 50
const perCall = 100

export type Mark = { conversationId: string; seq: number }

export const createDeliveries = (send: (marks: Mark[]) => Promise<unknown>) => {
  const seqs = new Map<string, number>()
  let timer: ReturnType<typeof setTimeout> | undefined

  const flush = () => {
    timer = undefined
    const marks = [...seqs].map(([conversationId, seq]) => ({ conversationId, seq }))
    seqs.clear()
    for (let at = 0; at < marks.length; at += perCall) {
      const part = marks.slice(at, at + perCall)
      // It matters until it has arrived once; a later mark of the same conversation makes up for it as well.
      send(part).catch((error: unknown) => {
        if (isRetryable(error)) for (const { conversationId, seq } of part) note(conversationId, seq)
      })
    }
  }
  const note = (conversationId: string, seq: number) => {
    seqs.set(conversationId, Math.max(seq, seqs.get(conversationId) ?? 0))
    timer ??= setTimeout(flush, gatherMs)
  }
  return {
    note,
    stop() {
      clearTimeout(timer)
      timer = undefined
      seqs.clear()
    },
  }
}

const isRetryable = (error: unknown) => error instanceof Error && 'retryable' in error && error.retryable === true
