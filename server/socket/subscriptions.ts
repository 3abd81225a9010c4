import { TRPCError } from '@trpc/server'
import type { Answers } from './answers.ts'
import type { Call, RequestId } from './frames.ts'
import type { Replies } from './replies.ts'
import { createSubscription, type Subscription, type SubscriptionHost } from './subscription.ts'
import type { Writer } from './writer.ts'

export interface SubscriptionsOptions {
  /** Of those that are alive; one that was stopped counts until its generator has finished. */
  max: number
  /** Counts one more of this user. @returns a function that takes it off again; null: she has too many */
  hold(): (() => void) | null
  /** Unsent bytes above which one more event cuts the socket. */
  cutBytes: number
  replies: Replies
  writer: Writer
  answers: Answers
}

export interface Subscriptions {
  /** @returns null where there cannot be another one; the call has been told why */
  open(call: Call): Subscription | null
  stop(id: RequestId): void
  /** There is room for the next events. */
  pull(): void
  /** The client is gone, or may have none. */
  drop(): void
}

/** The subscriptions of one connection, by the ids that the client gave them. */
export const createSubscriptions = (options: SubscriptionsOptions): Subscriptions => {
  const { max, hold, cutBytes, replies, writer, answers } = options
  const byId = new Map<RequestId, Subscription>()
  let alive = 0
  const host: SubscriptionHost = {
    replies,
    writer,
    cutBytes,
    answers,
    hold,
    onEnded: ({ id }) => void byId.delete(id),
    onSettled: () => void alive--,
  }

  return {
    open(call) {
      if (byId.has(call.id)) {
        answers.fail(call, new TRPCError({ code: 'BAD_REQUEST', message: `Duplicate id ${call.id}` }))
        return null
      }
      if (alive >= max) {
        answers.fail(call, new TRPCError({ code: 'TOO_MANY_REQUESTS', message: 'Too many subscriptions' }))
        return null
      }
      const subscription = createSubscription(call, host)
      byId.set(call.id, subscription)
      alive++
      return subscription
    },
    stop: (id) => byId.get(id)?.stop(),
    pull() {
      for (const subscription of byId.values()) subscription.pull()
    },
    drop() {
      for (const subscription of byId.values()) subscription.drop()
    },
  }
}
