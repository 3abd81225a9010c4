import type { ChatError } from '../../server/contract/errors.ts'

export interface Stream<Value> {
  push(value: Value): void
  /** With an error, the loop throws it. */
  end(error: ChatError | null): void
  isOver(): boolean
  values(): AsyncGenerator<Value, void, undefined>
}

/** Values that wait to be taken, one reader. Ends with the signal, with `end`, or when the reader leaves the loop. */
export const createStream = <Value>(signal: AbortSignal | undefined, onLeave: () => void): Stream<Value> => {
  const waiting: Value[] = []
  let ended = false
  let error: ChatError | null = null
  let wake: (() => void) | null = null

  const rouse = () => {
    wake?.()
    wake = null
  }
  const end = (why: ChatError | null) => {
    if (ended) return
    ended = true
    error = why
    rouse()
  }
  const stop = () => end(null)
  signal?.addEventListener('abort', stop)
  if (signal?.aborted) stop()

  async function* values(): AsyncGenerator<Value, void, undefined> {
    try {
      for (;;) {
        while (waiting.length > 0 && !signal?.aborted) yield waiting.shift() as Value
        if (ended) break
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (error) throw error
    } finally {
      ended = true
      signal?.removeEventListener('abort', stop)
      onLeave()
    }
  }

  return {
    push(value: Value) {
      if (ended) return
      waiting.push(value)
      rouse()
    },
    end,
    isOver: () => ended,
    values,
  }
}
