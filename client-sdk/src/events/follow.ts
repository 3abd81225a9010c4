import { ChatError } from '../../../server/contract/errors.ts'
import type { ChatEvent, HistoryPage, Message, Status, StatusEvent } from '../../../server/contract/index.ts'
import type { Behind } from '../connection/behind.ts'
import type { Connection } from '../connection/connection.ts'
import type { StateOwner } from '../connection/state.ts'
import type { Inputs } from '../requests/calls.ts'
import type { Deliveries } from './deliveries.ts'
import { createFeed, type FeedEvent, isChanged } from './feed.ts'
import { createLoop, type Inlet, type Source } from './loop.ts'
import { createPlace } from './place.ts'
import type { Subscription, Subscriptions } from './subscription.ts'

export interface FollowOptions {
  /** Ends the loop. */
  signal?: AbortSignal | undefined
  /** Where an earlier loop was; without it, the replay starts at what was never delivered to this user. */
  cursor?: string | undefined
}

export interface StatusOptions {
  /** Ends the loop. */
  signal?: AbortSignal | undefined
  /** Of whom; without it, of all. */
  users?: string[] | undefined
}

/** What comes in, as loops. Each subscribes when its first value is asked for. */
export interface Loops {
  /**
   * Every message that concerns this user exactly once, in order; own ones from everywhere among them. A message counts
   * as delivered when the loop asks for the next one, or is left. It gives new messages only: that one was edited or
   * deleted later, `events` says.
   */
  messages(options?: FollowOptions): AsyncGenerator<Message, void, undefined>
  /**
   * The same, and what changes: messages that were edited or deleted, receipts, profiles. A changed state comes once, and
   * never an older one behind a newer one. Each event has its cursor; `ready` is the first one.
   */
  events(options?: FollowOptions): AsyncGenerator<FeedEvent, void, undefined>
  /**
   * Who is online (of `users`, or of all) in one snapshot, then who comes and goes. After a lost connection it begins
   * anew.
   */
  statuses(options?: StatusOptions): AsyncGenerator<StatusEvent, void, undefined>
}

export interface LoopsOptions {
  state: StateOwner
  connection: Connection
  subscriptions: Subscriptions
  behind: Behind
  deliveries: Deliveries
  historyAfter(conversation: string, after: number, signal: AbortSignal): Promise<HistoryPage>
}

/** What a loop subscribes to. */
interface Asked extends Omit<Subscription, 'onEnd'> {
  /** It is not said to the server any more. */
  onStop(): void
}

export const createLoops = (options: LoopsOptions): Loops => {
  const { state, connection, subscriptions, behind, deliveries, historyAfter } = options

  /** Subscribes for as long as the reader takes what comes: a full inlet ends it, an empty one begins it again. */
  const subscribe = (inlet: Inlet<never>, asked: Asked): Source => {
    const subscription: Subscription = Object.assign(asked, {
      // Whoever closes her own client knows why her loops end.
      onEnd: (error: ChatError) => inlet.end(error.kind === 'closed' ? null : error),
    })
    if (state.get().status === 'closed') throw new ChatError('closed')
    const open = subscriptions.add(subscription)
    connection.connect()
    inlet.onFull(() => {
      open.pause()
      asked.onStop()
    })
    return {
      onEmpty: open.resume,
      close() {
        open.stop()
        asked.onStop()
      },
    }
  }

  /** @param put gives the reader what she wants of an event */
  const follow = <Value>(
    { signal, cursor }: FollowOptions,
    put: (event: FeedEvent, inlet: Inlet<Value>, onTaken?: () => void) => void,
  ) =>
    createLoop<Value>(signal, (inlet) => {
      // The server may not know of the newest marks when it looks for what was never delivered.
      const taken = new Map(cursor === undefined ? deliveries.unconfirmed() : [])
      const place = createPlace(cursor)
      const feed = createFeed({
        place,
        give(event) {
          if (event.type === 'putBack') {
            taken.delete(event.conversationId)
            deliveries.forget(event.conversationId)
          }
          if (event.type !== 'message') return put(event, inlet)
          const { conversationId, seq } = event.message
          if (seq > (taken.get(conversationId) ?? 0)) put(event, inlet, () => deliveries.note(conversationId, seq))
          else if (isChanged(event.message)) put({ ...event, type: 'messageChanged' }, inlet)
        },
        async historyAfter(conversation, after) {
          await inlet.room()
          return historyAfter(conversation, after, inlet.signal)
        },
        onCaughtUp: () => behind.delete(inlet),
        fail: inlet.end,
        signal: inlet.signal,
      })
      const input: Inputs['onMessage'] = { ack: 'client' }
      const asked = {
        path: 'onMessage',
        input,
        lastEventId: place.lastEventId,
        onStart: () => behind.add(inlet),
        onStop: () => behind.delete(inlet),
        onData(data: unknown) {
          const { id, data: event } = data as { id?: unknown; data?: ChatEvent }
          // A newer server may say what has no place in the order of changes.
          if (typeof id !== 'string' || !event) return
          asked.lastEventId = id
          feed.take(event, id)
        },
      }
      return subscribe(inlet, asked)
    })

  return {
    messages: (options = {}) =>
      follow<Message>(options, (event, inlet, onTaken) => {
        if (event.type === 'message') inlet.push(event.message, onTaken)
      }),
    events: (options = {}) => follow<FeedEvent>(options, (event, inlet, onTaken) => inlet.push(event, onTaken)),
    statuses: ({ signal, users } = {}) =>
      createLoop<StatusEvent>(signal, (inlet) => {
        /** Of a snapshot that is still coming in. */
        let statuses: Status[] = []
        return subscribe(inlet, {
          path: 'onStatus',
          input: { users } satisfies Inputs['onStatus'],
          lastEventId: undefined,
          onStart() {
            statuses = []
          },
          onStop() {},
          onData(data) {
            const event = data as StatusEvent
            if (event.type === 'change') return inlet.push(event)
            if (event.type !== 'snapshot') return
            statuses.push(...event.statuses)
            if (!event.more) inlet.push({ ...event, statuses })
          },
        })
      }),
  }
}
