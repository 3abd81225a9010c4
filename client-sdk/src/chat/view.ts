/**
 * A value that changes. It fits React's `useSyncExternalStore`: the snapshot is the same object until the value has
 * changed.
 */
export interface View<Value> {
  getSnapshot(): Value
  /** Calls back once for all changes of one turn. @returns a function that ends it */
  subscribe(listener: () => void): () => void
}

/** @param make the value as it is now; called after a change, when somebody looks. */
export const createView = <Value>(make: () => Value) => {
  const listeners = new Set<() => void>()
  let snapshot: { value: Value } | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  const tell = () => {
    timer = undefined
    for (const listener of listeners) {
      try {
        listener()
      } catch (error) {
        // The listener's fault must be seen, and must not keep the others from hearing.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
  return {
    getSnapshot(): Value {
      snapshot ??= { value: make() }
      return snapshot.value
    },
    subscribe(listener: () => void): () => void {
      // A function of its own: the same listener may be given twice.
      const own = () => listener()
      listeners.add(own)
      return () => listeners.delete(own)
    },
    /** Somebody looks at it. */
    get isWatched(): boolean {
      return listeners.size > 0
    },
    /** A replay of a thousand messages is one change. */
    changed() {
      snapshot = null
      if (listeners.size > 0) timer ??= setTimeout(tell)
    },
    stop: () => clearTimeout(timer),
  }
}
