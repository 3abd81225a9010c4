import type { ChatError } from '../../../server/contract/chat-error.ts'
import { fromErrorShape } from '../connection/errors.ts'
import type { Lost } from '../connection/machine.ts'
import { type Answer, writeRequest, writeStop } from '../connection/protocol.ts'
import { createRetry } from '../connection/retry.ts'

/** What somebody wants to be told of, said to the server anew on each connection and whenever it stopped. */
export interface Subscription {
  path: string
  input: unknown
  /** In whose name alone it is said. */
  as: string | undefined
  /** The id of the last tracked event that came, for the server to go on behind it. */
  lastEventId(): string | undefined
  /** It is said to the server, or will be with the next connection. */
  onStart(): void
  onData(data: unknown): void
  /** It is over. */
  onEnd(error: ChatError): void
}

interface Open {
  subscription: Subscription
  /** As the server knows it, another for each start: what is still said of the one before is passed over. */
  id: number
  state:
    | 'paused'
    /** There is no connection to say it on, or nobody knows yet whose it is. */
    | 'held'
    /** For the next attempt. */
    | 'waiting'
    | 'sent'
    | 'started'
  retry: ReturnType<typeof createRetry>
}

/** The server knows of it. */
const isSaid = ({ state }: Open) => state === 'sent' || state === 'started'

export interface SubscriptionHandle {
  /** Nothing comes until `resume`. Paused as well, it ends with the session or the client that it is for. */
  pause(): void
  /** It goes on behind the last event that came. */
  resume(): void
  stop(): void
}

export const createSubscriptions = (
  nextId: () => number,
  send: (text: string, isRisky?: boolean, as?: string) => boolean,
) => {
  const opens = new Map<number, Open>()

  const start = (open: Open) => {
    opens.delete(open.id)
    open.retry.stop()
    open.id = nextId()
    opens.set(open.id, open)
    const { path, input, as, lastEventId } = open.subscription
    open.subscription.onStart()
    try {
      const frame = writeRequest(open.id, 'subscription', path, input, lastEventId())
      open.state = send(frame, false, as) ? 'sent' : 'held'
    } catch (error) {
      end(open, error as ChatError)
    }
  }
  const startLater = (open: Open, error: ChatError | null) => {
    open.state = 'waiting'
    open.retry.failed(error)
  }
  const end = (open: Open, error: ChatError) => {
    forget(open)
    open.subscription.onEnd(error)
  }
  const forget = (open: Open) => {
    open.retry.stop()
    return opens.delete(open.id)
  }

  return {
    add(subscription: Subscription): SubscriptionHandle {
      const open: Open = { subscription, id: 0, state: 'held', retry: createRetry(() => start(open)) }
      start(open)
      return {
        pause() {
          open.retry.stop()
          if (opens.has(open.id) && isSaid(open)) send(writeStop(open.id))
          open.state = 'paused'
        },
        resume() {
          if (opens.has(open.id) && open.state === 'paused') start(open)
        },
        stop() {
          if (forget(open) && isSaid(open)) send(writeStop(open.id))
        },
      }
    },
    answer(answer: Answer) {
      const open = opens.get(answer.id)
      // The server says `stopped` after an error as well.
      if (!open || !isSaid(open)) return
      if (answer.type === 'started') open.state = 'started'
      if (answer.type === 'stopped') startLater(open, null)
      if (answer.type === 'data') {
        open.retry.succeeded()
        open.subscription.onData(answer.data)
      }
      if (answer.type === 'error') {
        const error = fromErrorShape(answer.error)
        if (error.retryable) startLater(open, error)
        else end(open, error)
      }
    },
    /** There is a connection again, or more is known of it. */
    startHeld() {
      for (const open of [...opens.values()]) if (open.state === 'held') start(open)
    },
    lost({ error, loss }: Lost) {
      for (const open of [...opens.values()]) {
        open.retry.stop()
        if (loss === 'forGood' || (loss === 'atFault' && open.state === 'sent')) end(open, error)
        else if (open.state !== 'paused') open.state = 'held'
      }
    },
  }
}
export type Subscriptions = ReturnType<typeof createSubscriptions>
