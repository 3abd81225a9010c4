import { ChatError } from '../../server/contract/chat-error.ts'
import type { HistoryPage, Message, SignedIn } from '../../server/contract/index.ts'
import { createCatchUps } from './connection/catch-ups.ts'
import { createConnection } from './connection/connection.ts'
import { asThrownHere } from './connection/errors.ts'
import { createListeners } from './connection/listeners.ts'
import { inTime } from './connection/sleep.ts'
import { type ClientState, createStateOwner } from './connection/state.ts'
import type { TokenSource } from './connection/token.ts'
import { createDeliveryAcks } from './events/delivery-acks.ts'
import { createLoops, type Loops } from './events/loops.ts'
import { createSubscriptions } from './events/subscription.ts'
import { type CallName, type CallOptions, type Calls, callNames } from './requests/calls.ts'
import { type PastOptions, pastMessages } from './requests/history-iterator.ts'
import { createCallsInFlight } from './requests/in-flight.ts'
import { addressesOf } from './transport/address.ts'
import { type ListenToPlatform, listenToPlatform } from './transport/platform.ts'
import type { MakeSocket } from './transport/socket.ts'

export interface ClientOptions {
  /** Where the server is, such as `https://chat.example.org` or `https://example.org/chat`. */
  url: string
  /**
   * The session to go on with, as `register` or `login` gave it. A function is asked before each connection; with
   * `ended` when the session before is no longer good. Null: nobody is signed in.
   */
  token?: TokenSource
  /**
   * How long a call waits for its answer, connecting included, and the client for a token, in milliseconds; longer only as
   * long as a slow network shows that the answer may be on its way. Default 20,000.
   */
  callTimeoutMs?: number | undefined
}

/** A chat client: every call of the contract by its name, and what comes in as loops. */
export interface ChatClient extends Calls, Loops, AsyncDisposable {
  /** As it was given. */
  readonly url: string
  readonly state: ClientState
  /**
   * Calls back with each new state.
   * @returns a function that ends it.
   */
  onState(listener: (state: ClientState) => void): () => void
  /**
   * Calls back when somebody has signed in by `register` or `login`, on a connection that is live: the state stays as it is.
   * @returns a function that ends it.
   */
  onSignIn(listener: (userId: string) => void): () => void
  /**
   * Offline, the next attempt to connect comes now instead of at `retryAt`: when somebody asks for it, or the platform
   * says that there is a network again.
   */
  retryNow(): void
  /** The messages of a conversation, the newest first, read as the loop asks for them. @throws ChatError */
  pastMessages(options: PastOptions): AsyncGenerator<Message, void, undefined>
  /** Ends everything, for good: loops end, calls that wait are rejected with `closed`. */
  close(): void
}

const sayDeliveredMs = 2_000

/** @throws ChatError `invalidInput` when the URL is none */
export const createClientOn = (
  makeSocket: MakeSocket,
  options: ClientOptions,
  listen: ListenToPlatform = listenToPlatform,
): ChatClient => {
  const { url, token, callTimeoutMs = 20_000 } = options
  let lastId = 0
  const nextId = () => ++lastId

  const state = createStateOwner()
  const catchUps = createCatchUps(state)
  const signIns = createListeners<string>()
  const connection = createConnection({
    addresses: addressesOf(url),
    makeSocket,
    listenToPlatform: listen,
    state,
    token,
    tokenTimeoutMs: callTimeoutMs,
    onReady() {
      inFlight.sendHeld()
      subscriptions.startHeld()
    },
    isBehind: catchUps.isAny,
    onAnswer(answer) {
      inFlight.answer(answer)
      subscriptions.answer(answer)
    },
    onLeaving: (go) => inFlight.whenIdle(go),
    onLost(lost) {
      inFlight.lost(lost)
      subscriptions.lost(lost)
      if (lost.loss === 'forGood') deliveryAcks.clear()
    },
    onSignIn: signIns.tell,
  })
  const inFlight = createCallsInFlight(nextId, connection, callTimeoutMs)
  const subscriptions = createSubscriptions(nextId, connection.send)

  const ask = async (name: CallName, input: unknown, callOptions?: CallOptions): Promise<unknown> => {
    if (state.get().status === 'closed') throw new ChatError('closed')
    try {
      const answer = inFlight.add(name, input, callOptions)
      connection.connect()
      return await answer
    } catch (error) {
      throw asThrownHere(error)
    }
  }
  /** With her session goes the right to say what she has got; where nobody answers, she is not held up for long. */
  const sayDelivered = async ({ signal, timeoutMs = callTimeoutMs }: CallOptions = {}) => {
    await inTime(deliveryAcks.flush(), Math.min(sayDeliveredMs, timeoutMs), () => {}, signal)
  }
  const call = async (name: CallName, input: unknown, callOptions?: CallOptions): Promise<unknown> => {
    if (name === 'register' || name === 'login') {
      return connection.signIn(() => ask(name, input, callOptions) as Promise<SignedIn>)
    }
    if (name === 'logout') await sayDelivered(callOptions)
    const answer = await ask(name, input, callOptions)
    if (name === 'logout') connection.signOut()
    return answer
  }
  const calls = Object.fromEntries(
    callNames.map((name) => [name, (input: unknown, callOptions?: CallOptions) => call(name, input, callOptions)]),
  ) as unknown as Calls

  const deliveryAcks = createDeliveryAcks((acks) => calls.markDelivered(acks))
  const loops = createLoops({
    state,
    connection,
    subscriptions,
    catchUps,
    deliveryAcks,
    historyAfter: (conversation, after, signal) =>
      ask('history', { conversation, after, limit: 100 }, { signal }) as Promise<HistoryPage>,
  })

  const close = () => {
    if (state.get().status === 'closed') return
    void deliveryAcks.flush()
    deliveryAcks.clear()
    connection.close()
  }
  return {
    ...calls,
    ...loops,
    url,
    get state() {
      return state.get()
    },
    onState: state.listen,
    onSignIn: signIns.listen,
    retryNow: connection.retryNow,
    pastMessages: (options) => pastMessages(calls.history, options),
    close,
    async [Symbol.asyncDispose]() {
      close()
    },
  }
}
