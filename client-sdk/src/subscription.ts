import type { ChatError } from '../../server/contract/errors.ts'
import { fromErrorShape } from './errors.ts'
import { type Answer, writeRequest, writeStop } from './wire.ts'

/** A subscription as the server knows it, said anew on each connection. */
export interface Subscription {
  path: string
  input: unknown
  /** The id of the last tracked event that came, for the server to go on behind it. */
  lastEventId: string | undefined
  onData(data: unknown): void
  /** It is over; without an error because the server ended it. */
  onEnd(error: ChatError | null): void
}

export const createSubscriptions = (nextId: () => number, send: (text: string) => void) => {
  const open = new Map<number, Subscription>()

  const start = (id: number, { path, input, lastEventId }: Subscription) =>
    send(writeRequest(id, 'subscription', path, input, lastEventId))

  return {
    add(subscription: Subscription, isLive: boolean): () => void {
      const id = nextId()
      open.set(id, subscription)
      if (isLive) start(id, subscription)
      return () => {
        if (open.delete(id)) send(writeStop(id))
      }
    },
    /** @returns whether it waits for a new session now. */
    answer(answer: Extract<Answer, { id: number }>): boolean {
      const subscription = open.get(answer.id)
      if (!subscription) return false
      if (answer.type === 'data') subscription.onData(answer.data)
      if (answer.type === 'stopped') {
        open.delete(answer.id)
        subscription.onEnd(null)
      }
      if (answer.type !== 'error') return false
      const error = fromErrorShape(answer.error)
      if (error.kind === 'sessionEnded') return true
      open.delete(answer.id)
      subscription.onEnd(error)
      return false
    },
    startAll() {
      for (const [id, subscription] of open) start(id, subscription)
    },
    lost(error: ChatError, retry: boolean) {
      if (retry) return
      for (const subscription of open.values()) subscription.onEnd(error)
      open.clear()
    },
  }
}
