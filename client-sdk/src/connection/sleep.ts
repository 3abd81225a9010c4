/** The longest time a timer takes; a longer one would run out at once. */
export const timerMaxMs = 2 ** 31 - 1

/** Resolves after so long, at the latest after the longest time that a timer takes, or when the signal aborts. */
export const sleep = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, Math.min(ms, timerMaxMs))
    signal?.addEventListener('abort', done)
    if (signal?.aborted) done()
  })

/** Waits so long, or until the signal aborts. @param onLate the value then, or what is thrown */
export const inTime = async <Value>(
  work: Promise<Value>,
  ms: number,
  onLate: () => Value,
  signal?: AbortSignal,
): Promise<Value> => {
  const over = new AbortController()
  try {
    return await Promise.race([orAborted(work, signal), sleep(ms, over.signal).then(onLate)])
  } finally {
    over.abort()
  }
}

/** Aborted with these signals, or alone; then it listens no more. `AbortSignal.any` is not everywhere. */
export const abortedWith = (...signals: AbortSignal[]): AbortController => {
  const own = new AbortController()
  const end = () => {
    for (const signal of signals) signal.removeEventListener('abort', end)
    own.abort()
  }
  own.signal.addEventListener('abort', end)
  for (const signal of signals) {
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  }
  return own
}

/** React Native knows no reasons. */
export const abortReason = ({ reason }: AbortSignal): unknown => reason ?? new Error('This was aborted')

/** @throws the signal's reason */
export const throwIfAborted = (signal: AbortSignal | undefined) => {
  if (signal?.aborted) throw abortReason(signal)
}

/** The wait ends with the signal, by its reason; what is waited for goes on. */
export const orAborted = <Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> => {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortReason(signal))
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort)
    work.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject)
  })
}
