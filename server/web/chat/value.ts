import type { View } from '@parley/client'

/** A value that this page itself changes, in the shape of the SDK's views: `useView` shows it. */
export interface Value<T> extends View<T> {
  set(value: T): void
}

export const createValue = <T>(value: T): Value<T> => {
  const listeners = new Set<() => void>()
  return {
    getSnapshot: () => value,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    set(next) {
      if (Object.is(next, value)) return
      value = next
      for (const listener of listeners) listener()
    },
  }
}
