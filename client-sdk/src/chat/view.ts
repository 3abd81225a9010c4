import { createListeners } from '../connection/listeners.ts'

/**
 * A value that changes. It fits React's `useSyncExternalStore`: the snapshot is the same object until the value has
 * changed.
 */
export interface View<Value> {
  getSnapshot(): Value
  /** Calls back once for all changes of one turn. @returns a function that ends it */
  subscribe(listener: () => void): () => void
}

/**
 * @param make the value as it is now; called after a change, when somebody looks.
 * @param onSubscribe called before somebody is to be told of changes
 */
export const createView = <Value>(make: () => Value, onSubscribe = () => {}) => {
  const listeners = createListeners()
  let snapshot: { value: Value } | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  const tell = () => {
    timer = undefined
    listeners.tell()
  }
  return {
    getSnapshot(): Value {
      snapshot ??= { value: make() }
      return snapshot.value
    },
    subscribe(listener: () => void): () => void {
      onSubscribe()
      return listeners.listen(listener)
    },
    /** Somebody looks at it. */
    isWatched: (): boolean => !listeners.isEmpty(),
    /** A replay of a thousand messages is one change. */
    changed() {
      snapshot = null
      if (!listeners.isEmpty()) timer ??= setTimeout(tell)
    },
    stop: () => clearTimeout(timer),
  }
}
