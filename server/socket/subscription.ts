import { TRPCError } from '@trpc/server'
import { isObservable, type Unsubscribable } from '@trpc/server/observable'
import { isAbortError, isAsyncIterable } from '@trpc/server/unstable-core-do-not-import'
import type { Part } from './frame-layout.ts'
import type { Call } from './frames.ts'
import { type Replies, started, stopped } from './replies.ts'

export interface SubscriptionHost {
  readonly replies: Replies
  readonly hasRoom: boolean
  send(head: Buffer, tail: Part): void
  /** Reports an error, and answers the call with it. */
  fail(call: Call, cause: unknown): void
  /** Reports an error that nobody is left to be told of. */
  report(call: Call, cause: unknown): void
  /** The client has, or is about to get, its last answer: the id is free again. */
  onEnded(subscription: Subscription): void
  /** Nothing of it runs any more. */
  onSettled(): void
}

/**
 * One subscription: starting while its procedure runs, then live, then ended.
 *
 * An async iterable is pulled, one value at a time and only while the socket has room, so that back-pressure reaches
 * whoever fills it. An observable pushes: it costs neither a promise nor an iterator per event, and nothing holds it
 * back, so a socket that does not keep up with it is cut.
 *
 * Stopping waits for nobody: a generator that ignores its signal keeps neither the client nor the socket.
 */
export class Subscription {
  readonly call: Call
  readonly #host: SubscriptionHost
  readonly #head: Buffer
  readonly #abort = new AbortController()
  #iterator: AsyncIterator<unknown> | undefined
  #observed: Unsubscribable | undefined
  #pulling = false
  /** A value that came when there was no room for it. */
  #held: IteratorYieldResult<unknown> | undefined
  #started = false
  /** No more answers are sent. */
  ended = false
  #settled = false

  constructor(call: Call, host: SubscriptionHost) {
    this.call = call
    this.#host = host
    this.#head = Buffer.from(call.head)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** The procedure has returned. */
  begin(result: unknown) {
    if (this.ended) {
      // Stopped while it was starting: never consumed, yet given the chance to release what it holds.
      if (isAsyncIterable(result)) this.#iterator = result[Symbol.asyncIterator]()
      void this.#settle()
    } else if (isAsyncIterable(result)) {
      this.#iterator = result[Symbol.asyncIterator]()
      this.#start()
      this.pull()
    } else if (isObservable(result)) {
      this.#start()
      this.#observed = result.subscribe({
        next: (value) => this.#deliver(value),
        error: (cause) => this.fail(cause),
        complete: () => this.#complete(),
      })
      if (this.ended) this.#observed.unsubscribe()
    } else {
      const message = `Subscription ${this.call.path} did not return an observable or a AsyncGenerator`
      throw new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message })
    }
  }

  #start() {
    this.#started = true
    this.#host.send(this.#head, started)
  }

  /** Asks for the next event, unless one is under way or there is no room for it. */
  pull() {
    if (this.ended || this.#pulling || this.#iterator === undefined || !this.#host.hasRoom) return
    if (this.#held !== undefined) {
      const { value } = this.#held
      this.#held = undefined
      this.#deliver(value)
      if (this.ended || !this.#host.hasRoom) return
    }
    this.#pulling = true
    try {
      this.#iterator.next().then(this.#onNext, this.#onThrow)
    } catch (cause) {
      this.fail(cause)
    }
  }

  // Made once: an event costs the promise of its iterator and no closure.
  readonly #onNext = (next: IteratorResult<unknown>) => {
    this.#pulling = false
    if (this.ended) return
    if (next.done) return this.#complete()
    if (this.#host.hasRoom) this.#deliver(next.value)
    else this.#held = next
    this.pull()
  }

  readonly #onThrow = (cause: unknown) => this.fail(cause)

  #deliver(value: unknown) {
    if (this.ended) return
    try {
      this.#host.send(this.#head, this.#host.replies.event(value))
    } catch (cause) {
      this.fail(cause)
    }
  }

  #complete() {
    if (this.ended) return
    this.#end()
    this.#host.send(this.#head, stopped)
    this.#iterator = undefined
    void this.#settle()
  }

  /** The procedure or its stream has thrown. */
  fail(cause: unknown) {
    // Throwing an AbortError is how a stopped subscription is expected to end.
    if (this.ended) {
      if (!isAbortError(cause instanceof TRPCError ? cause.cause : cause)) this.#host.report(this.call, cause)
      if (this.#iterator === undefined) void this.#settle()
      return
    }
    this.#end()
    this.#host.fail(this.call, cause)
    // tRPC ends a stream that broke with both; a subscription that never started gets the error alone.
    if (this.#started) this.#host.send(this.#head, stopped)
    this.#abort.abort()
    void this.#settle()
  }

  /** The client wants no more. */
  stop() {
    if (this.ended) return
    this.#host.send(this.#head, stopped)
    this.drop()
  }

  /** The client is gone. @param reason one AbortError for all, as making one costs a stack trace */
  drop(reason?: DOMException) {
    if (this.ended) return
    this.#end()
    this.#abort.abort(reason)
    if (this.#iterator || this.#observed) void this.#settle()
  }

  #end() {
    this.ended = true
    this.#held = undefined
    this.#host.onEnded(this)
  }

  /** Lets go of the stream; never waits for it on anybody's behalf. */
  async #settle() {
    if (this.#settled) return
    this.#settled = true
    try {
      this.#observed?.unsubscribe()
      await this.#iterator?.return?.()
    } catch (cause) {
      if (!isAbortError(cause)) this.#host.report(this.call, cause)
    } finally {
      this.#host.onSettled()
    }
  }
}
