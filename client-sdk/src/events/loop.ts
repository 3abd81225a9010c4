import type { ChatError } from '../../../server/contract/chat-error.ts'
import { onAbort } from '../connection/abort.ts'
import { asThrownHere } from '../connection/errors.ts'

/** Where what comes in is put for the one who reads it. */
export interface Inlet<Value> {
  /** @param onTaken called when the reader is done with the value: asks for the next one. */
  push(value: Value, onTaken?: () => void): void
  /** Calls back each time that `waitingMax` values wait for the reader; no more should be put here then. */
  onFull(listener: () => void): void
  /** Resolves when less wait, or nobody reads any more. */
  room(): Promise<void>
  /** Ends the loop; with an error, it throws. What waits is not given out, and nothing more counts as taken. */
  end(error: ChatError | null): void
  /** Aborted when nobody reads any more. */
  signal: AbortSignal
}

/** A slower reader keeps so many values in memory, not all that a server can send. */
const waitingMax = 1_000

/** What fills a loop. */
export interface Source {
  /** The reader waits for a value, and there is none. */
  onEmpty(): void
  /** Called once, as soon as the reader has left, the signal has aborted or the inlet was ended. */
  close(): void
}

/** A loop over what comes in. `open` begins it, with the first value that is asked for. */
export const createLoop = <Value>(
  signal: AbortSignal | undefined,
  open: (inlet: Inlet<Value>) => Source,
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
    let onFull = () => {}
    let roomWanted: (() => void)[] = []
    const giveRoom = () => {
      for (const resolve of roomWanted) resolve()
      roomWanted = []
    }
    const source = open({
      push(value, onTaken) {
        if (waiting.push({ value, onTaken }) === waitingMax) onFull()
        wake()
      },
      onFull(listener) {
        onFull = listener
      },
      room: () =>
        new Promise((resolve) => {
          if (waiting.length < waitingMax || over.signal.aborted) resolve()
          else roomWanted.push(resolve)
        }),
      end(error) {
        ended = true
        failure = error
        leave()
      },
      signal: over.signal,
    })
    const unlisten = onAbort(signal, leave)
    over.signal.addEventListener('abort', source.close)
    if (over.signal.aborted) source.close()
    try {
      while (!over.signal.aborted) {
        const next = waiting.shift()
        if (next) {
          yield next.value
          // Not reached where the loop was left at this value: an error in its body looks like `break` from here.
          if (!ended) next.onTaken?.()
        } else {
          const arrival = new Promise<void>((resolve) => {
            wake = resolve
          })
          giveRoom()
          source.onEmpty()
          await arrival
        }
      }
      if (failure) throw asThrownHere(failure)
    } finally {
      unlisten()
      leave()
      giveRoom()
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
