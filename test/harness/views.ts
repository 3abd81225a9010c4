import type { View } from '../../client-sdk/src/node.ts'

/** The first snapshot that fits, as soon as the view shows it. */
export const shows = <Value, Fitting extends Value>(
  view: View<Value>,
  fits: ((value: Value) => value is Fitting) | ((value: Value) => boolean),
): Promise<Fitting> =>
  new Promise((resolve) => {
    const look = () => {
      const value = view.getSnapshot()
      if (!fits(value)) return
      unsubscribe()
      resolve(value as Fitting)
    }
    const unsubscribe = view.subscribe(look)
    look()
  })
