import type { Writer } from './writer.ts'

export interface PullerHost {
  writer: Writer
  emit(value: unknown): void
  complete(): void
}

/**
 * Reads an async iterable, one value at a time and only while there is room for it.
 * @returns asks for the next value, unless one is under way, there is no room, or the subscription has ended
 */
export const createPuller = (
  iterator: AsyncIterator<unknown>,
  subscription: { readonly ended: boolean; fail(cause: unknown): void },
  { writer, emit, complete }: PullerHost,
): (() => void) => {
  let isPulling = false
  /** A value that came when there was no room for it. */
  let held: IteratorYieldResult<unknown> | undefined

  // Made once: an event costs the promise of its iterator and no closure.
  const onNext = (next: IteratorResult<unknown>) => {
    isPulling = false
    if (subscription.ended) return
    if (next.done) return complete()
    if (writer.hasRoom) emit(next.value)
    else held = next
    pull()
  }

  const pull = () => {
    if (subscription.ended || isPulling || !writer.hasRoom) return
    if (held !== undefined) {
      const { value } = held
      held = undefined
      emit(value)
      if (subscription.ended || !writer.hasRoom) return
    }
    isPulling = true
    try {
      iterator.next().then(onNext, subscription.fail)
    } catch (cause) {
      subscription.fail(cause)
    }
  }
  return pull
}
