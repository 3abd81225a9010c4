import type { Observable, Unsubscribable } from '@trpc/server/observable'
import type { Replies } from './replies.ts'
import type { Writer } from './writer.ts'

/** A subscription, as its events need it. */
export interface EventSink {
  /** Goes in front of each event. */
  readonly head: Buffer
  readonly ended: boolean
  complete(): void
  fail(cause: unknown): void
}

/** What the subscriptions of a connection share to send their events. */
export interface EventHost {
  readonly replies: Replies
  readonly writer: Writer
  /** Unsent bytes above which one more event cuts the socket. */
  readonly cutBytes: number
}

/**
 * Reads an async iterable, one value at a time and only while there is room for it. With hundreds of subscriptions the
 * memory that an event touches costs more than what is done with it: so what is needed stands in one scope, and nothing
 * else is a closure of each subscription.
 * @returns asks for the next value, unless one is under way, there is no room, or the subscription has ended
 */
export const pullEvents = (iterator: AsyncIterator<unknown>, sink: EventSink, host: EventHost): (() => void) => {
  const { replies, writer, cutBytes } = host
  const { fail } = sink
  let isPulling = false
  /** A value that came when there was no room for it. */
  let held: IteratorYieldResult<unknown> | undefined

  // Made once: an event costs the promise of its iterator and no closure.
  const onNext = (next: IteratorResult<unknown>) => {
    isPulling = false
    if (sink.ended) return
    if (next.done) return sink.complete()
    if (!writer.hasRoom) {
      held = next
      return
    }
    emit(next.value, sink, replies, writer, cutBytes)
    if (sink.ended || !writer.hasRoom) return
    isPulling = true
    request(iterator, onNext, fail)
  }

  return () => {
    if (sink.ended || isPulling || !writer.hasRoom) return
    if (held !== undefined) {
      const { value } = held
      held = undefined
      emit(value, sink, replies, writer, cutBytes)
      if (sink.ended || !writer.hasRoom) return
    }
    isPulling = true
    request(iterator, onNext, fail)
  }
}

/** Sends what an observable pushes, whether there is room or not. */
export const pushEvents = (
  observable: Observable<unknown, unknown>,
  sink: EventSink,
  { replies, writer, cutBytes }: EventHost,
): Unsubscribable =>
  observable.subscribe({
    next(value) {
      if (!sink.ended) emit(value, sink, replies, writer, cutBytes)
    },
    error: sink.fail,
    complete: sink.complete,
  })

const request = (
  iterator: AsyncIterator<unknown>,
  onNext: (next: IteratorResult<unknown>) => void,
  fail: (cause: unknown) => void,
) => {
  try {
    iterator.next().then(onNext, fail)
  } catch (cause) {
    fail(cause)
  }
}

const emit = (value: unknown, sink: EventSink, replies: Replies, writer: Writer, cutBytes: number) => {
  try {
    writer.send(sink.head, replies.event(value), cutBytes)
  } catch (cause) {
    sink.fail(cause)
  }
}
