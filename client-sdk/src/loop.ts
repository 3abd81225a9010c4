import type { ChatError } from '../../server/contract/errors.ts'
import { asThrownHere } from './errors.ts'

/** Where what comes in is put for the one who reads it. */
export interface Inlet<Value> {
  /** @param onTaken called when the reader is done with the value: asks for the next one, or leaves the loop. */
  push(value: Value, onTaken?: () => void): void
  /** Ends the loop; with an error, it throws. What waits is not given out, and nothing more counts as taken. */
  end(error: ChatError | null): void
  /** Aborted when nobody reads any more. */
  signal: AbortSignal
}

/**
 * A loop over what comes in. `open` begins it, with the first value that is asked for, and returns what ends it: called
 * once, as soon as the reader has left, the signal has aborted or the inlet was ended.
 */
export const createLoop = <Value>(
  signal: AbortSignal | undefined,
  open: (inlet: Inlet<Value>) => () => void,
): AsyncGenerator<Value, void, undefined> => {
  const over = new AbortController()
  let wake = () => {}
  const leave = () => {
    over.abort()
    wake()
  }

  async function* values(): AsyncGenerator<Value, void, undefined> {
    if (over.signal.aborted || signal?.aborted) return
    const waiting: { value: Value; onTaken: (() => void) | undefined }[] = []
    let ended = false
    let failure: ChatError | null = null
    const close = open({
      push(value, onTaken) {
        waiting.push({ value, onTaken })
        wake()
      },
      end(error) {
        ended = true
        failure = error
        leave()
      },
      signal: over.signal,
    })
    signal?.addEventListener('abort', leave)
    over.signal.addEventListener('abort', close)
    if (over.signal.aborted) close()
    try {
      while (!over.signal.aborted) {
        const next = waiting.shift()
        if (next) {
          try {
            yield next.value
          } finally {
            if (!ended) next.onTaken?.()
          }
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
      if (failure) throw asThrownHere(failure)
    } finally {
      signal?.removeEventListener('abort', leave)
      leave()
    }
  }

  const loop = values()
  const leaveLoop = loop.return.bind(loop)
  // A generator that waits for a value would hear of it only when one came.
  loop.return = (value) => {
    leave()
    return leaveLoop(value)
  }
  return loop
}
