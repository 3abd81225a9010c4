/** The longest time a timer takes; a longer one would run out at once. */
export const timerMaxMs = 2 ** 31 - 1

/** Resolves after so long, or when the signal aborts. */
export const sleep = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done)
  })

/** The wait ends with the signal, by its reason; what is waited for goes on. */
export const orAborted = <Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> => {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort)
    work.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject)
  })
}
