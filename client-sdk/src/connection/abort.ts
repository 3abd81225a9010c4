const heard = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Runs it when the signal aborts; now, where it has. Each signal is listened to once, however many calls are given it: node
 * warns of more than ten listeners.
 * @returns a function that takes it back
 */
export const onAbort = (signal: AbortSignal | undefined, run: () => void): (() => void) => {
  if (signal?.aborted) run()
  if (!signal || signal.aborted) return () => {}
  const all = heard.get(signal) ?? new Set()
  if (!heard.has(signal)) {
    heard.set(signal, all)
    signal.addEventListener('abort', () => {
      for (const each of all) each()
    })
  }
  all.add(run)
  return () => all.delete(run)
}

/** Aborted with these signals, or alone; then it listens no more. `AbortSignal.any` is not everywhere. */
export const abortedWith = (...signals: AbortSignal[]): AbortController => {
  const own = new AbortController()
  const unlisten = signals.map((signal) => onAbort(signal, () => own.abort()))
  onAbort(own.signal, () => {
    for (const end of unlisten) end()
  })
  return own
}

/** React Native knows no reasons. */
export const abortReason = ({ reason }: AbortSignal): unknown => reason ?? new Error('This was aborted')

/** @throws the signal's reason */
export const throwIfAborted = (signal: AbortSignal | undefined) => {
  if (signal?.aborted) throw abortReason(signal)
}
