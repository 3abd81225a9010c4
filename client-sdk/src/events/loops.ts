import { ChatError } from '../../../server/contract/chat-error.ts'
import type { HistoryPage, Message, Status, StatusEvent } from '../../../server/contract/index.ts'
import type { CatchUps } from '../connection/catch-ups.ts'
import type { Connection } from '../connection/connection.ts'
import type { StateOwner } from '../connection/state.ts'
import type { Inputs } from '../requests/calls.ts'
import type { DeliveryAcks } from './delivery-acks.ts'
import { createFeed, type FeedEvent } from './feed.ts'
import { createLoop, type Inlet, type Source } from './loop.ts'
import type { Subscription, Subscriptions } from './subscription.ts'

export interface EventsOptions {
  /** Ends the loop, when it asks for the next value. */
  signal?: AbortSignal | undefined
  /** Where an earlier loop was; without it, the replay starts at what was never delivered to this user. */
  cursor?: string | undefined
  /** In the name of this user alone, as with calls. */
  as?: string | undefined
}

export interface StatusOptions {
  /** Ends the loop. */
  signal?: AbortSignal | undefined
  /** Of whom; without it, of all. */
  users?: string[] | undefined
  /** In the name of this user alone, as with calls. */
  as?: string | undefined
}

/** What comes in, as loops. Each subscribes when its first value is asked for. */
export interface Loops {
  /**
   * Every message that concerns this user exactly once, in order; own ones from everywhere among them. A message counts
   * as delivered when the loop asks for the next one. One at which the loop is left, by an error or by `break`, comes again in
   * the next loop; abort the signal instead, to be done with it as well. It gives new messages only: that one was edited or
   * deleted later, `events` says.
   */
  messages(options?: EventsOptions): AsyncGenerator<Message, void, undefined>
  /**
   * The same, and what changes: messages that were edited or deleted, receipts, profiles. A changed state comes once, and
   * never an older one behind a newer one. Each event has its cursor; `ready` is the first one.
   */
  events(options?: EventsOptions): AsyncGenerator<FeedEvent, void, undefined>
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
  catchUps: CatchUps
  deliveryAcks: DeliveryAcks
  historyAfter(conversation: string, after: number, signal: AbortSignal): Promise<HistoryPage>
}

export const createLoops = (options: LoopsOptions): Loops => {
  const { state, connection, subscriptions, catchUps, deliveryAcks, historyAfter } = options

  /** Subscribes for as long as the reader takes what comes: a full inlet ends it, an empty one begins it again. */
  const subscribe = (inlet: Inlet<never>, asked: Omit<Subscription, 'onEnd'>): Source => {
    if (state.get().status === 'closed') throw new ChatError('closed')
    const open = subscriptions.add({
      ...asked,
      // Whoever closes her own client knows why her loops end.
      onEnd: (error) => inlet.end(error.kind === 'closed' ? null : error),
    })
    connection.connect()
    inlet.onFull(() => {
      open.pause()
      catchUps.end(inlet)
    })
    return {
      onEmpty: open.resume,
      close() {
        open.stop()
        catchUps.end(inlet)
      },
    }
  }

  const ack = (event: FeedEvent) => {
    if (event.type === 'message') deliveryAcks.add(event.message.conversationId, event.message.seq)
  }

  /** @param select what the reader wants of an event; undefined: nothing */
  const openFeed = <Value>(
    { signal, cursor, as }: EventsOptions,
    select: (event: FeedEvent) => Value | undefined,
  ): AsyncGenerator<Value, void, undefined> =>
    createLoop<Value>(signal, (inlet) => {
      const feed = createFeed({
        cursor,
        // The server may not know of the newest acks when it looks for what was never delivered.
        hadUpTo: new Map(cursor === undefined ? deliveryAcks.unconfirmed() : []),
        emit(event) {
          if (event.type === 'rewound') deliveryAcks.forget(event.conversationId)
          const value = select(event)
          if (value !== undefined) inlet.push(value, () => ack(event))
        },
        async historyAfter(conversation, after) {
          await inlet.room()
          return historyAfter(conversation, after, inlet.signal)
        },
        onCaughtUp: () => catchUps.end(inlet),
        fail: inlet.end,
        signal: inlet.signal,
      })
      return subscribe(inlet, {
        path: 'onMessage',
        input: { ack: 'client' } satisfies Inputs['onMessage'],
        as,
        lastEventId: feed.lastEventId,
        onStart: () => catchUps.begin(inlet),
        onData: feed.receive,
      })
    })

  return {
    messages: (options = {}) =>
      openFeed<Message>(options, (event) => (event.type === 'message' ? event.message : undefined)),
    events: (options = {}) => openFeed<FeedEvent>(options, (event) => event),
    statuses: ({ signal, users, as } = {}) =>
      createLoop<StatusEvent>(signal, (inlet) => {
        /** Of a snapshot that is still coming in. */
        let statuses: Status[] = []
        return subscribe(inlet, {
          path: 'onStatus',
          input: { users } satisfies Inputs['onStatus'],
          as,
          lastEventId: () => undefined,
          onStart() {
            statuses = []
          },
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
