import { ChatError } from '../../../server/contract/chat-error.ts'
import type { SignedIn, User } from '../../../server/contract/index.ts'
import type { Addresses } from '../transport/address.ts'
import type { ListenToPlatform, PlatformEvent } from '../transport/platform.ts'
import type { MakeSocket, OpenSocket } from '../transport/socket.ts'
import { createTransports, type Transport } from '../transport/transport.ts'
import { fromErrorShape, wordsOf } from './errors.ts'
import {
  type ConnectionEvent,
  type Effect,
  initialMachine,
  type Lost,
  type Machine,
  next,
  signedInAs,
} from './machine.ts'
import { type Answer, readFrame, writeConnectionParams, writeRequest } from './protocol.ts'
import { backoffMs, createRetry, lastMs } from './retry.ts'
import type { ClientState, StateOwner } from './state.ts'
import { askToken, type TokenSource } from './token.ts'

/** Calls and subscriptions count from 1. */
const ownerId = 0
/** A move to another transport waits so long for the answers that are on their way. */
const lastAnswersMs = 5_000
/** A network that is there again brings back all who were in it; their next attempts are spread over this. */
const soonMs = 500

export interface ConnectionOptions {
  addresses: Addresses
  makeSocket: MakeSocket
  listenToPlatform: ListenToPlatform
  state: StateOwner
  token: TokenSource
  /** How long the token function may take, in milliseconds. */
  tokenTimeoutMs: number
  /** What `send` has held may be sent by now. */
  onReady(): void
  /** What was missed is still to come. */
  isBehind(): boolean
  onAnswer(answer: Answer): void
  /** The server goes; call `go` when no answer is missing. */
  onLeaving(go: () => void): void
  onLost(lost: Lost): void
  /** On a connection that is live. */
  onSignIn(userId: string): void
}

/** Keeps one connection: tells the machine what happens, and carries out what it says. */
export const createConnection = (options: ConnectionOptions) => {
  const { state, addresses, makeSocket } = options
  const transports = createTransports({
    addresses,
    makeSocket,
    onBlocked: () => hasten(),
    onWayBack: () => step({ type: 'move' }),
  })
  const { token } = options
  let machine = initialMachine(typeof token === 'string' ? token : null, typeof token === 'function')
  let transport: Transport = 'webSocket'
  let stopListening: (() => void) | null = null
  /** How often a token was asked for: only the last one counts. */
  let asks = 0
  let socket: OpenSocket | null = null
  /** Something was sent on this socket that will bring an answer. */
  let hasAsked = false
  const over = new AbortController()
  let retry: ReturnType<typeof setTimeout> | undefined
  let moving: ReturnType<typeof setTimeout> | undefined
  /** The server has asked not to be tried before, by `performance.now()`: clocks can be set back. */
  let notBefore = 0
  /** When the next attempt is made, by the same. */
  let nextAttemptAt = 0
  /** The same as a date, as it is told. */
  let retryAt = new Date(0)
  /** The platform says that there is no network. */
  let isOffline = false

  const step = (event: ConnectionEvent) => {
    const [after, effects] = next(machine, event)
    if (machine.phase === 'offline' && after.phase !== 'offline') clearTimeout(retry)
    machine = after
    for (const effect of effects) carryOut[effect]()
  }

  const clientState = ({ phase, attempt, lost }: Machine): ClientState => {
    if (phase === 'asking') return { status: 'connecting', attempt }
    if (phase === 'live') return { status: options.isBehind() ? 'catchingUp' : 'live', transport }
    const { error } = lost as Lost
    if (phase === 'offline') return { status: phase, error, retryAt }
    return phase === 'signedOut' ? { status: phase, error } : { status: 'closed' }
  }

  const getToken = async () => {
    stopListening ??= options.listenToPlatform(onPlatform)
    const ask = ++asks
    const isWanted = () => ask === asks && machine.phase === 'asking'
    // Whoever is told that it connects may close it first.
    await null
    if (!isWanted()) return
    const { reason, isLoggedOut, isSigningIn } = machine
    try {
      const given =
        isLoggedOut || isSigningIn ? null : await askToken(token, reason, options.tokenTimeoutMs, over.signal)
      if (isWanted()) step({ type: 'token', token: given })
    } catch (cause) {
      if (isWanted()) step({ type: 'notOpened', error: notOpened(cause) })
    }
  }

  const open = () => {
    try {
      transport = transports.current()
      hasAsked = false
      socket = transports.open({ onOpen: () => step({ type: 'opened' }), onText, onClose })
    } catch (cause) {
      step({ type: 'notOpened', error: notOpened(cause) })
    }
  }

  const askOwner = () => {
    hasAsked = true
    socket?.send(writeRequest(ownerId, 'query', 'me', undefined))
  }

  const askAgain = createRetry(askOwner)

  const send = (text: string, isRisky = false, as?: string): boolean => {
    const { phase } = machine
    // A request of its own is answered or fails by itself.
    const isProven = phase === 'live' || transport === 'http'
    if ((phase !== 'live' && phase !== 'proving') || (isRisky && !isProven)) return false
    const user = signedInAs(machine)
    if (as !== undefined && as !== user) {
      if (user === undefined) return false
      throw notSignedIn(as, user)
    }
    hasAsked = true
    socket?.send(text)
    return true
  }

  const onText = (text: string) => {
    try {
      take(text)
    } catch (cause) {
      const error = new ChatError('connectionLost', { message: 'The server sent what cannot be read', cause })
      step({ type: 'lost', error })
    }
  }

  const take = (text: string) => {
    const frame = readFrame(text)
    if (frame === null) return
    if (frame.id === null) {
      if (frame.type === 'reconnect') return leave()
      return step({ type: 'refused', error: fromErrorShape(frame.error) })
    }
    if (frame.id === ownerId) {
      if (frame.type === 'data') step({ type: 'owner', userId: (frame.data as User).userId })
      if (frame.type === 'error') step({ type: 'ownerRefused', error: fromErrorShape(frame.error) })
      return
    }
    const answered = socket
    options.onAnswer(frame)
    // It may have been what leaving this connection waited for.
    if (answered === socket) step({ type: 'answered', isError: frame.type === 'error' })
  }

  const onClose = (code: number, reason: string) => step({ type: 'closedByServer', code, reason })

  /** The server closes this connection soon; those who were asked to go early find the next one less crowded. */
  const leave = () => {
    const left = socket
    options.onLeaving(() => {
      if (left === socket) step({ type: 'lost', error: connectionLost('The server is going away') })
    })
  }

  const move = () => {
    const left = socket
    const go = () => {
      if (left === socket) step({ type: 'renew', error: connectionLost('Moving to a WebSocket') })
    }
    moving = setTimeout(go, lastAnswersMs)
    options.onLeaving(go)
  }

  const drop = () => {
    clearTimeout(moving)
    askAgain.stop()
    // Who closes it says so; otherwise nobody is there any more to be told.
    if (machine.phase === 'closed') socket?.close()
    else socket?.drop()
    socket = null
  }

  const onPlatform = (event: PlatformEvent) => {
    if (event !== 'visible') isOffline = event === 'offline'
    if (event === 'online') transports.lookAgain()
    if (socket) socket.probe()
    if (event !== 'offline') hasten()
  }

  /** An attempt that is far off is made soon, but not before the server wants it. */
  const hasten = () => {
    const now = state.get()
    if (now.status !== 'offline') return
    const waitMs = Math.max(Math.random() * soonMs, notBefore - performance.now())
    if (nextAttemptAt - performance.now() <= waitMs) return
    retryIn(waitMs)
    state.enter({ ...now, retryAt })
  }

  const retryLater = (error: ChatError) => {
    notBefore = performance.now() + (error.retryAfterMs ?? 0)
    retryIn(Math.max(backoffMs(machine.attempt, error), isOffline ? lastMs : 0))
  }

  const retryIn = (waitMs: number) => {
    clearTimeout(retry)
    retry = setTimeout(() => step({ type: 'retry' }), waitMs)
    nextAttemptAt = performance.now() + waitMs
    retryAt = new Date(Date.now() + waitMs)
  }

  const carryOut: Record<Effect, () => unknown> = {
    askToken: getToken,
    openSocket: open,
    sayToken: () => socket?.send(writeConnectionParams(machine.token)),
    askOwner,
    askOwnerLater: () => askAgain.failed(null),
    sayAnew() {
      options.onReady()
      // Only an answer tells that the server took the token. Where nothing waits to be sent, this brings one.
      if (!hasAsked) askOwner()
    },
    sayRest: options.onReady,
    dropSocket: drop,
    tellLost: () => options.onLost(machine.lost as Lost),
    retryLater: () => retryLater((machine.lost as Lost).error),
    waitForLastAnswers: move,
    tellState: () => state.enter(clientState(machine)),
    tellSignIn: () => options.onSignIn(machine.owner?.userId as string),
  }

  return {
    /** Opens the connection where none is open, on its way or planned. */
    connect: () => step({ type: 'connect' }),
    /** The attempt that would come at `retryAt` comes now. */
    retryNow: () => step({ type: 'retry' }),
    /**
     * @param isRisky it cannot be sent again: it waits for a connection that has brought an answer, as a proxy may open
     *   WebSockets and let nothing through
     * @param as it is said in the name of this user alone: it waits until it is known who is signed in
     * @returns whether it was sent; otherwise it may be once `onReady` is called
     * @throws ChatError `notSignedIn` where nobody, or somebody else, is signed in
     */
    send,
    /**
     * Calls back when the server has read what was sent, and what it had said by then has come. Over plain HTTP it does not:
     * each request is answered there, or ends the connection.
     */
    whenRead(then: () => void) {
      if (transport === 'webSocket') socket?.whenRead(then)
    },
    /**
     * @param register asks the server, on a connection that is nobody's yet
     * @throws ChatError `badRequest`: one connection is one session
     */
    async signIn(register: () => Promise<SignedIn>): Promise<SignedIn> {
      if (machine.token !== null) throw refused('This client is signed in; log out first, or make another client.')
      if (machine.isSigningIn)
        throw refused('A sign-in is under way on this client; wait for it, or make another client.')
      step({ type: 'signIn', isUnderWay: true })
      try {
        const signedIn = await register()
        step({ type: 'signedIn', token: signedIn.session.token, userId: signedIn.user.userId })
        return signedIn
      } catch (error) {
        step({ type: 'signIn', isUnderWay: false })
        // Nobody waits for the answer any more, and the server may have signed this connection in.
        if (!(error instanceof ChatError) || error.kind === 'timedOut')
          step({ type: 'renew', error: connectionLost('A sign-in was given up') })
        throw error
      }
    },
    /** Before the server closes it: a sign-in that follows at once needs a connection of its own. */
    signOut: () => step({ type: 'signOut' }),
    close() {
      over.abort()
      stopListening?.()
      transports.close()
      step({ type: 'close' })
    },
  }
}
export type Connection = ReturnType<typeof createConnection>

const notSignedIn = (as: string, user: string | null) =>
  new ChatError('notSignedIn', user === null ? {} : { message: `This client is signed in as ${user}, not as ${as}.` })
const refused = (message: string) => new ChatError('badRequest', { message })
const connectionLost = (message: string) => new ChatError('connectionLost', { message })
const notOpened = (cause: unknown) =>
  new ChatError('unavailable', { message: `No connection could be opened: ${wordsOf(cause)}`, cause })
