/** Those who want to be told of something. */
export const createListeners = <Value = void>() => {
  const listeners = new Set<(value: Value) => void>()
  return {
    /** @returns a function that ends it */
    listen(listener: (value: Value) => void): () => void {
      // A function of its own: the same listener may be given twice.
      const own = (value: Value) => listener(value)
      listeners.add(own)
      return () => listeners.delete(own)
    },
    /** @param isStill asked before each listener: one before it may have changed what there is to tell */
    tell(value: Value, isStill = () => true): void {
      for (const listener of listeners) {
        if (!isStill()) return
        try {
          listener(value)
        } catch (error) {
          // The listener's fault must be seen, and must not keep the others from hearing.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    },
    isEmpty: () => listeners.size === 0,
  }
}
