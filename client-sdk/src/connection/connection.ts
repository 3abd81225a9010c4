import { ChatError } from '../../../server/contract/errors.ts'
import type { SignedIn, User } from '../../../server/contract/index.ts'
import { sessionEndedCode } from '../../../server/contract/wire.ts'
import type { Addresses } from '../transport/address.ts'
import type { ListenToPlatform, PlatformEvent } from '../transport/platform.ts'
import type { MakeSocket, OpenSocket } from '../transport/socket.ts'
import { createTransports, type Transport } from '../transport/transport.ts'
import { backoffMs, lastMs } from './backoff.ts'
import { fromErrorShape } from './errors.ts'
import type { TokenReason } from './session.ts'
import type { ClientState, StateOwner } from './state.ts'
import { createWhose } from './whose.ts'
import { type Answer, readFrame, writeConnectionParams, writeRequest } from './wire.ts'

/** What the end of a connection means for what was sent on it and has no answer. */
export type Loss =
  /** The server let nobody in: nothing was carried out. */
  | 'notDone'
  | 'maybeDone'
  /** The server closed because of what was sent; it would do so again. */
  | 'atFault'
  /** No connection follows by itself. */
  | 'forGood'

/** Malformed frame, not UTF-8, against the rules, too large. */
const atFaultCodes = [1002, 1007, 1008, 1009]
/** In a row: the token, and the one that was given for it. */
const refusedTokensMax = 2
/** Calls and subscriptions count from 1. */
const probeId = 0
/** A move to another transport waits so long for the answers that are on their way. */
const lastAnswersMs = 5_000
/** A network that is there again brings back all who were in it; their next attempts are spread over this. */
const soonMs = 500

export interface ConnectionOptions {
  addresses: Addresses
  makeSocket: MakeSocket
  listenToPlatform: ListenToPlatform
  state: StateOwner
  /** The session to connect with, or null; asked before each attempt. */
  token(why: TokenReason): Promise<string | null>
  /** Not all of them are the same. */
  tokensVary: boolean
  /** The socket is open: everything has to be said anew. */
  onOpen(): void
  /** The server has answered: what must not be sent twice may be sent now. */
  onProven(): void
  /** What was missed is still to come. */
  isBehind(): boolean
  onAnswer(answer: Answer): void
  /** The server goes; call `go` when no answer is missing. */
  onLeaving(go: () => void): void
  onLost(error: ChatError, loss: Loss): void
}

/** Keeps one connection: opens it, signs it in, opens it again when it is lost. */
export const createConnection = (options: ConnectionOptions) => {
  const { state, addresses, makeSocket } = options
  const transports = createTransports({
    addresses,
    makeSocket,
    onBlocked: () => hasten(),
    onWayBack: () => move(),
  })
  let transport: Transport = 'webSocket'
  let stopListening: (() => void) | null = null
  let socket: OpenSocket | null = null
  /** It is not known yet whether this connection is hers. */
  let isHeld = false
  /** Something may be sent ... */
  let isOpen = false
  /** ... and has been, so that an answer will come, ... */
  let hasAsked = false
  /** ... and one has: what travels here arrives. */
  let isProven = false
  const whose = createWhose(options.tokensVary)
  let attempt = 0
  let refusedTokens = 0
  let why: TokenReason = 'connect'
  let retry: ReturnType<typeof setTimeout> | undefined
  let moving: ReturnType<typeof setTimeout> | undefined
  /** The server has asked not to be tried before, by `performance.now()`: clocks can be set back. */
  let notBefore = 0
  /** When the next attempt is made, by the same. */
  let nextAttemptAt = 0
  /** The platform says that there is no network. */
  let isOffline = false

  const connect = async () => {
    stopListening ??= options.listenToPlatform(onPlatform)
    const connecting: ClientState = { status: 'connecting', attempt: ++attempt }
    state.enter(connecting)
    if (state.get() !== connecting) return
    try {
      const given = await options.token(why)
      if (state.get() !== connecting) return
      if (given === null && why === 'ended') return signedOut(new ChatError('sessionEnded'))
      why = 'connect'
      whose.opens(given)
      transport = transports.current()
      socket = transports.open({ onOpen, onText, onClose })
    } catch (cause) {
      if (state.get() !== connecting) return
      const reason = cause instanceof Error ? cause.message : String(cause)
      lost(new ChatError('unavailable', { message: `No connection could be opened: ${reason}`, cause }), 'notDone')
    }
  }

  const onOpen = () => {
    socket?.send(writeConnectionParams(whose.token()))
    isProven = transport === 'http'
    hasAsked = false
    if (whose.isUnknown()) probe()
    isHeld = whose.mayBeAnothers()
    if (!isHeld) openUp()
  }

  const openUp = () => {
    isOpen = true
    options.onOpen()
    // Only an answer tells that the server took the token. Where nothing waits to be sent, this brings one.
    if (!hasAsked) probe()
  }

  const probe = () => {
    hasAsked = true
    socket?.send(writeRequest(probeId, 'query', 'me', undefined))
  }

  const send = (text: string, isRisky = false): boolean => {
    if (!isOpen || (isRisky && !isProven)) return false
    hasAsked = true
    socket?.send(text)
    return true
  }

  const onText = (text: string) => {
    try {
      take(text)
    } catch (cause) {
      drop()
      lost(new ChatError('connectionLost', { message: 'The server sent what cannot be read', cause }), 'maybeDone')
    }
  }

  const take = (text: string) => {
    const frame = readFrame(text)
    if (frame === null) return
    if (frame.id === null) return frame.type === 'reconnect' ? leave() : refused(fromErrorShape(frame.error))
    if (frame.type === 'data') attempt = refusedTokens = 0
    const answered = socket
    if (frame.id === probeId) takeProbe(frame)
    else options.onAnswer(frame)
    // The last answer may have been what leaving this connection waited for.
    if (answered !== socket) return
    if (!isProven) {
      isProven = true
      options.onProven()
    }
    if (state.get().status === 'connecting')
      state.enter({ status: options.isBehind() ? 'catchingUp' : 'live', transport })
  }

  const takeProbe = (answer: Answer) => {
    const refusal = answer.type === 'data' ? whose.answered((answer.data as User).userId) : null
    if (refusal) {
      drop()
      return signedOut(refusal)
    }
    if (!isHeld) return
    isHeld = false
    if (answer.type !== 'error') return openUp()
    drop()
    lost(fromErrorShape(answer.error), 'notDone')
  }

  /** An error without a call is said before all answers when the server lets this connection do nothing. */
  const refused = (error: ChatError) => {
    const isOver = error.kind === 'sessionEnded'
    if (!isOver && !error.retryable) return
    drop()
    if (isOver) sessionEnded(error, 'notDone')
    else lost(error, 'notDone')
  }

  /** The server closes this connection soon; those who were asked to go early find the next one less crowded. */
  const leave = () => {
    const left = socket
    options.onLeaving(() => {
      if (left === null || left !== socket) return
      drop()
      lost(new ChatError('connectionLost', { message: 'The server is going away' }), 'maybeDone')
    })
  }

  /** To the transport that is the better one by now. What is said meanwhile waits for it. */
  const move = () => {
    const left = socket
    const go = () => {
      if (left !== null && left === socket) renew('Moving to a WebSocket')
    }
    moving = setTimeout(go, lastAnswersMs)
    isOpen = false
    options.onLeaving(go)
  }

  const renew = (message: string) => {
    if (socket === null) return
    drop()
    options.onLost(new ChatError('connectionLost', { message }), 'maybeDone')
    attempt = 0
    void connect()
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
    clearTimeout(retry)
    retryIn(waitMs, now.error)
  }

  const onClose = (code: number, reason: string) => {
    drop()
    const facts = { message: reason || `The connection was closed (${code})` }
    if (code === sessionEndedCode) sessionEnded(new ChatError('sessionEnded', facts), 'maybeDone')
    else if (code === 1009) lost(new ChatError('tooLarge', facts), 'atFault')
    else if (atFaultCodes.includes(code)) lost(new ChatError('badRequest', facts), 'atFault')
    else lost(new ChatError('connectionLost', facts), 'maybeDone')
  }

  const drop = () => {
    socket?.drop()
    forget()
  }

  const forget = () => {
    clearTimeout(moving)
    socket = null
    isOpen = isHeld = false
  }

  const sessionEnded = (error: ChatError, loss: Loss) => {
    why = 'ended'
    if (++refusedTokens >= refusedTokensMax) signedOut(error)
    else lost(error, loss)
  }

  const lost = (error: ChatError, loss: Loss) => {
    notBefore = performance.now() + (error.retryAfterMs ?? 0)
    options.onLost(error, loss)
    retryIn(Math.max(backoffMs(attempt, error), isOffline ? lastMs : 0), error)
  }

  const retryIn = (waitMs: number, error: ChatError) => {
    retry = setTimeout(connect, waitMs)
    nextAttemptAt = performance.now() + waitMs
    state.enter({ status: 'offline', error, retryAt: new Date(Date.now() + waitMs) })
  }

  const signedOut = (error: ChatError) => {
    clearTimeout(retry)
    why = 'connect'
    whose.signedOut()
    attempt = refusedTokens = 0
    options.onLost(error, 'forGood')
    state.enter({ status: 'signedOut', error })
  }

  return {
    /** Opens the connection where none is open, on its way or planned. */
    connect() {
      const { status } = state.get()
      if (status === 'idle' || status === 'signedOut') void connect()
    },
    /** The attempt that would come at `retryAt` comes now. */
    retryNow() {
      if (state.get().status !== 'offline') return
      clearTimeout(retry)
      void connect()
    },
    /**
     * @param isRisky it cannot be sent again: it waits for a connection that has brought an answer, as a proxy may open
     *   WebSockets and let nothing through
     * @returns whether there was a connection to send it on
     */
    send,
    /** Register or login was answered on this connection. */
    signedIn(signedIn: SignedIn) {
      whose.signedIn(signedIn)
      // Whoever waited for a session hears of it as of a connection.
      const now = state.get()
      if (now.status === 'live' || now.status === 'catchingUp') state.enter({ ...now })
    },
    /** Leaves this connection for another one: what was said on it may have been carried out all the same. */
    renew,
    /** Before the server closes it: a sign-in that follows at once needs a connection of its own. */
    signOut() {
      if (state.get().status === 'closed') return
      drop()
      signedOut(new ChatError('sessionEnded'))
    },
    close() {
      clearTimeout(retry)
      stopListening?.()
      transports.close()
      socket?.close()
      forget()
      options.onLost(new ChatError('closed'), 'forGood')
      state.enter({ status: 'closed' })
    },
  }
}
export type Connection = ReturnType<typeof createConnection>
