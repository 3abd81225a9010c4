import { abortReason, onAbort } from './abort.ts'

/** The longest time a timer takes; a longer one would run out at once. */
export const timerMaxMs = 2 ** 31 - 1

/** Resolves after so long, at the latest after the longest time that a timer takes, or when the signal aborts. */
export const sleep = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    let unlisten = () => {}
    const done = () => {
      clearTimeout(timer)
      unlisten()
      resolve()
    }
    const timer = setTimeout(done, Math.min(ms, timerMaxMs))
    unlisten = onAbort(signal, done)
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

/** The wait ends with the signal, by its reason; what is waited for goes on. */
export const orAborted = <Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> => {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const unlisten = onAbort(signal, () => reject(abortReason(signal)))
    work.finally(unlisten).then(resolve, reject)
  })
}
