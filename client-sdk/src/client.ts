import { ChatError } from '../../server/contract/errors.ts'
import type { ChatEvent, Message, SignedIn, StatusEvent } from '../../server/contract/index.ts'
import { type Call, type CallName, type CallOptions, type Calls, callKinds, type Inputs } from './calls.ts'
import { createConnection } from './connection.ts'
import { createDeliveries, type Mark } from './deliveries.ts'
import { createFeed, type FeedEvent } from './feed.ts'
import { createPendingCalls } from './pending.ts'
import type { SocketClass } from './socket.ts'
import type { ClientState } from './state.ts'
import { createStream, type Stream } from './stream.ts'
import { createSubscriptions, type Subscription } from './subscription.ts'

export interface ClientOptions {
  /** Where the server is, such as `https://chat.example.org`. */
  url: string
  /**
   * The session to go on with, as `register` or `login` gave it. A function is asked before each connection; with
   * `ended` when the session before is no longer good. Null: nobody is signed in.
   */
  token?: string | ((why: 'connect' | 'ended') => string | null | Promise<string | null>)
  /** How long a call waits for its answer, connecting included, in milliseconds. Default 20,000. */
  callTimeoutMs?: number
}

export interface FollowOptions {
  /** Ends the loop. */
  signal?: AbortSignal
  /** Where an earlier loop was; without it, the replay starts at what was never delivered to this user. */
  cursor?: string
}

/** A chat client: every call of the contract by its name, and what comes in as loops. */
export interface ChatClient extends Calls, AsyncDisposable {
  readonly state: ClientState
  /** Calls back with each new state. @returns a function that ends it. */
  onState(listener: (state: ClientState) => void): () => void
  /** Every message that concerns this user exactly once, in order; own ones from everywhere among them. */
  messages(options?: FollowOptions): AsyncGenerator<Message, void, undefined>
  /** The same with receipts and the word `ready`, each event with its cursor. */
  events(options?: FollowOptions): AsyncGenerator<FeedEvent, void, undefined>
  /** Who is online (of `users`, or of all), then who comes and goes. After a lost connection it begins anew. */
  statuses(options?: { signal?: AbortSignal; users?: string[] }): AsyncGenerator<StatusEvent, void, undefined>
  /** Ends everything, for good: what waits is rejected with `closed`. */
  close(): void
}

export const createClientOn = (Socket: SocketClass, options: ClientOptions): ChatClient => {
  const callTimeoutMs = options.callTimeoutMs ?? 20_000
  let session: string | null = typeof options.token === 'string' ? options.token : null
  const listeners = new Set<(state: ClientState) => void>()
  let lastId = 0
  const nextId = () => ++lastId

  let loggedOut = false

  const token = async (why: 'connect' | 'ended') => {
    if (loggedOut) session = null
    else if (typeof options.token === 'function')
      session = (await options.token(why)) ?? (why === 'connect' ? session : null)
    else if (why === 'ended') session = null
    return session
  }
  const connection = createConnection({
    url: socketUrl(options.url),
    Socket,
    token,
    onState: (state) => {
      for (const listener of listeners) listener(state)
    },
    onLive() {
      pending.sendAll()
      subscriptions.startAll()
    },
    onAnswer(answer) {
      if (pending.answer(answer) || subscriptions.answer(answer)) connection.endSession()
    },
    onLeaving: (go) => pending.whenIdle(go),
    onLost(error, retry) {
      pending.lost(error, retry)
      subscriptions.lost(error, retry)
    },
  })
  const isLive = () => connection.state().status === 'live'
  const pending = createPendingCalls(nextId, connection.send)
  const subscriptions = createSubscriptions(nextId, connection.send)

  const call = async (name: CallName, input: unknown, callOptions: CallOptions = {}): Promise<unknown> => {
    if (connection.state().status === 'closed') throw new ChatError('closed')
    const signsIn = name === 'register' || name === 'login'
    if (signsIn && session !== null) {
      throw new ChatError('badRequest', { message: 'This client is signed in; log out first, or make another client.' })
    }
    connection.connect()
    const answer = await pending.add(name, input, isLive(), { timeoutMs: callTimeoutMs, ...callOptions })
    if (signsIn) session = (answer as SignedIn).session.token
    if (signsIn || name === 'logout') loggedOut = !signsIn
    return answer
  }
  const calls = Object.fromEntries(
    Object.keys(callKinds).map((name) => [
      name,
      (input: unknown, callOptions?: CallOptions) =>
        call(name as CallName, prepared(name as CallName, input), callOptions),
    ]),
  ) as unknown as { [Name in CallName]: Call<Name> }

  const deliveries = createDeliveries((marks: Mark[]) => calls.markDelivered(marks))

  /** Subscribes anew on each connection, until whoever takes the values leaves. */
  const subscribe = <Data, Value>(
    path: string,
    input: unknown,
    { signal, cursor }: FollowOptions,
    createTake: (stream: Stream<Value>, subscription: { lastEventId: string | undefined }) => (data: Data) => void,
  ) => {
    if (connection.state().status === 'closed') throw new ChatError('closed')
    const stream = createStream<Value>(signal, () => stop())
    const subscription: Subscription = { path, input, lastEventId: cursor, onData: () => {}, onEnd: stream.end }
    const take = createTake(stream, subscription)
    subscription.onData = (data) => take(data as Data)
    const stop = subscriptions.add(subscription, isLive())
    connection.connect()
    return stream.values()
  }

  const events = (followOptions: FollowOptions = {}) =>
    subscribe<{ id: string; data: ChatEvent }, FeedEvent>(
      'onMessage',
      { ack: 'client' } satisfies Inputs['onMessage'],
      followOptions,
      (stream, subscription) => {
        const feed = createFeed({
          give(event) {
            if (event.type === 'message') deliveries.note(event.message.conversationId, event.message.seq)
            stream.push(event)
          },
          historyAfter: (conversation, after) => calls.history({ conversation, after, limit: 100 }),
          isOver: stream.isOver,
        })
        return ({ id, data: event }) => {
          subscription.lastEventId = id
          feed.take(event, id)
        }
      },
    )

  return {
    ...calls,
    get state() {
      return connection.state()
    },
    onState(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    events,
    async *messages(followOptions) {
      for await (const event of events(followOptions)) if (event.type === 'message') yield event.message
    },
    statuses: ({ users, ...followOptions } = {}) =>
      subscribe<StatusEvent, StatusEvent>(
        'onStatus',
        users ? { users } : {},
        followOptions,
        (stream) => (event) => stream.push(event),
      ),
    close() {
      deliveries.stop()
      connection.close()
    },
    async [Symbol.asyncDispose]() {
      this.close()
    },
  }
}

/** A message that may have to be sent twice needs a name by which the server knows it again. */
const prepared = (name: CallName, input: unknown): unknown =>
  name === 'sendMessage' ? { clientMessageId: newMessageName(), ...(input as object) } : input

let messageNames = 0
/** Ordered by time, which keeps the server's index of them compact; unguessability is not asked of it. */
const newMessageName = (): string => {
  const random = Array.from(crypto.getRandomValues(new Uint32Array(2)), (part) => part.toString(36).padStart(7, '0'))
  return `${Date.now().toString(36)}-${(messageNames++).toString(36)}-${random.join('')}`
}

const socketUrl = (url: string): string => {
  const base = new URL(url)
  base.protocol = base.protocol.replace('http', 'ws')
  base.pathname = '/trpc'
  base.search = '?connectionParams=1'
  return base.href
}
