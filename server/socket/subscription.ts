import { TRPCError } from '@trpc/server'
import { isObservable, type Unsubscribable } from '@trpc/server/observable'
import { isAbortError, isAsyncIterable } from '@trpc/server/unstable-core-do-not-import'
import { withoutStack } from '../contract/without-stack.ts'
import type { Answers } from './answers.ts'
import { aborted } from './closing.ts'
import { type EventHost, pullEvents, pushEvents } from './events.ts'
import type { Call } from './frames.ts'
import { started, stopped } from './replies.ts'

/** What the subscriptions of a connection share. */
export interface SubscriptionHost extends EventHost {
  readonly answers: Answers
  /** Counts one more of this user. @returns a function that takes it off again; null: she has too many */
  hold(): (() => void) | null
  /** The client has, or is about to get, its last answer: the id is free again. */
  onEnded(call: Call): void
  /** Nothing of it runs any more. */
  onSettled(): void
}

export interface Subscription {
  readonly signal: AbortSignal
  /** No more answers are sent. The subscription alone changes it. */
  readonly ended: boolean
  /** The procedure has returned. */
  begin(result: unknown): void
  /** There is room for the next event. */
  pull(): void
  /** The procedure or its stream has thrown. */
  fail(cause: unknown): void
  /** The client wants no more. */
  stop(): void
  /** The client is gone. */
  drop(): void
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
export const createSubscription = (call: Call, host: SubscriptionHost): Subscription => {
  const { answers } = host
  const head = Buffer.from(call.head)
  const abort = new AbortController()
  let iterator: AsyncIterator<unknown> | undefined
  let observed: Unsubscribable | undefined
  let hasStarted = false
  let hasSettled = false
  let letGo = () => {}

  const send = (part: string) => host.writer.send(head, part, host.cutBytes)

  const hold = () => {
    const held = host.hold()
    if (held === null) throw tooManyOfUser()
    letGo = held
  }

  const start = () => {
    hasStarted = true
    send(started)
  }

  const end = () => {
    subscription.ended = true
    host.onEnded(call)
  }

  /** Lets go of the stream; never waits for it on anybody's behalf. */
  const settle = async () => {
    if (hasSettled) return
    hasSettled = true
    try {
      observed?.unsubscribe()
      await iterator?.return?.()
    } catch (cause) {
      if (!isAbortError(cause)) answers.report(call, cause)
    } finally {
      letGo()
      host.onSettled()
    }
  }

  const subscription = {
    ended: false,
    head,
    signal: abort.signal,
    pull: noPull,

    begin(result: unknown) {
      if (subscription.ended) {
        // Stopped while it was starting: never consumed, yet given the chance to release what it holds.
        if (isAsyncIterable(result)) iterator = result[Symbol.asyncIterator]()
        void settle()
      } else if (isAsyncIterable(result)) {
        iterator = result[Symbol.asyncIterator]()
        hold()
        start()
        subscription.pull = pullEvents(iterator, subscription, host)
        subscription.pull()
      } else if (isObservable(result)) {
        hold()
        start()
        observed = pushEvents(result, subscription, host)
        if (subscription.ended) observed.unsubscribe()
      } else {
        const message = `Subscription ${call.path} did not return an observable or a AsyncGenerator`
        throw new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message })
      }
    },

    complete() {
      if (subscription.ended) return
      end()
      send(stopped)
      iterator = undefined
      void settle()
    },

    fail(cause: unknown) {
      // Throwing an AbortError is how a stopped subscription is expected to end.
      if (subscription.ended) {
        if (!isAbortError(cause instanceof TRPCError ? cause.cause : cause)) answers.report(call, cause)
        if (iterator === undefined) void settle()
        return
      }
      end()
      answers.fail(call, cause)
      // tRPC ends a stream that broke with both; a subscription that never started gets the error alone.
      if (hasStarted) send(stopped)
      abort.abort(aborted)
      void settle()
    },

    stop() {
      if (subscription.ended) return
      send(stopped)
      subscription.drop()
    },

    drop() {
      if (subscription.ended) return
      end()
      abort.abort(aborted)
      if (iterator || observed) void settle()
    },
  }
  return subscription
}

const tooManyOfUser = () =>
  withoutStack(() => new TRPCError({ code: 'TOO_MANY_REQUESTS', message: 'Too many subscriptions of this user' }))

/** Until there is an iterable. */
const noPull = () => {}
