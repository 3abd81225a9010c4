import type { Addresses } from './address.ts'
import { createHttpSocket } from './http-socket.ts'
import { createPatience } from './patience.ts'
import { isUnseen } from './platform.ts'
import { httpReaches, webSocketReaches } from './probes.ts'
import { type MakeSocket, type OpenSocket, openSocket, type SocketHandlers } from './socket.ts'

/** How a connection travels: `http` where something on the way lets no WebSocket through. */
export type Transport = 'webSocket' | 'http'

/** A WebSocket that has brought nothing for so long is doubted, ... */
const doubtMs = 2_500
/** ... and given up this long after plain HTTP was answered. */
const patienceMs = 1_500
/** A WebSocket that was cut sooner than this has not shown that it can be relied on. */
const lastingMs = 15_000
/** Between two looks at whether a WebSocket passes by now: it doubles from the first to the last. */
const firstLookMs = 5_000
const lastLookMs = 300_000
/** Those who come back into a network all at once look at different moments. */
const jitterMs = 500

/** How often in a row a WebSocket has to end like this, while plain HTTP reaches the server, to be taken for blocked. */
const timesUntilBlocked = {
  /** It was waited for and brought nothing. */
  silent: 1,
  /** It ended at once. */
  refused: 2,
  /** It worked, and was cut soon. */
  short: 4,
}
type End = keyof typeof timesUntilBlocked | 'lasting'

export interface TransportsOptions {
  addresses: Addresses
  makeSocket: MakeSocket
  /** The WebSocket that was lost is blocked, and plain HTTP reaches the server: the next attempt need not wait. */
  onBlocked(): void
  /** The connection is plain HTTP, and a WebSocket would pass by now. */
  onWayBack(): void
}

/** Opens connections: WebSockets, or plain HTTP as long as WebSockets are blocked. */
export const createTransports = ({ addresses, makeSocket, onBlocked, onWayBack }: TransportsOptions) => {
  let transport: Transport = 'webSocket'
  /** From 1 on a WebSocket is taken for blocked. */
  let suspicion = 0
  let nextLookMs = firstLookMs
  /** Looks whether a WebSocket passes by now; null where no connection is plain HTTP. */
  let lookIn: ((ms: number) => void) | null = null
  const closed = new AbortController()
  const patience = createPatience()

  const noteEnd = async (end: End) => {
    if (end === 'lasting') {
      suspicion = 0
      nextLookMs = firstLookMs
    } else if (await httpReaches(addresses.http, closed.signal)) {
      suspicion += 1 / timesUntilBlocked[end]
      if (suspicion < 1) return
      transport = 'http'
      onBlocked()
    }
  }

  const tryWebSockets = () => {
    transport = 'webSocket'
    // One that is refused is enough to tell that they are blocked still.
    suspicion = 1 - 1 / timesUntilBlocked.refused
  }

  const openWebSocket = (handlers: SocketHandlers): OpenSocket => {
    const startedAt = performance.now()
    let heardAt: number | null = null
    const over = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined

    const end = (): End => {
      if (heardAt !== null) return performance.now() - heardAt < lastingMs ? 'short' : 'lasting'
      return performance.now() - startedAt < doubtMs ? 'refused' : 'silent'
    }
    const onDoubt = async () => {
      if (!(await httpReaches(addresses.http, over.signal)) || over.signal.aborted || heardAt !== null) return
      timer = setTimeout(() => socket.giveUp('A WebSocket brings nothing, while plain HTTP is answered'), patienceMs)
    }
    const guarded: SocketHandlers = {
      ...handlers,
      onOpen() {
        // What is said next may be long: whether anything passes is known before.
        socket.whenRead(() => {})
        handlers.onOpen()
      },
      onHeard() {
        heardAt = performance.now()
        transport = 'webSocket'
        clearTimeout(timer)
      },
      onClose(code, reason) {
        // Another code, after an answer, is the server's own.
        if (end() !== 'short' || code === 1006) void noteEnd(end())
        handlers.onClose(code, reason)
      },
      onOver() {
        clearTimeout(timer)
        over.abort()
      },
    }
    const socket = openSocket(makeSocket(addresses.webSocket), guarded, patience, isUnseen)
    timer = setTimeout(onDoubt, doubtMs)
    return socket
  }

  const openHttp = (handlers: SocketHandlers): OpenSocket => {
    const over = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined

    const look = async () => {
      const passes = await webSocketReaches(makeSocket, addresses.webSocket, over.signal)
      if (over.signal.aborted) return
      if (!passes) return lookLater()
      tryWebSockets()
      onWayBack()
    }
    const lookLater = () => {
      lookIn?.(nextLookMs * (0.5 + Math.random()))
      nextLookMs = Math.min(nextLookMs * 2, lastLookMs)
    }
    const guarded: SocketHandlers = {
      ...handlers,
      onHeard() {
        lookIn = (ms) => {
          clearTimeout(timer)
          timer = setTimeout(look, ms)
        }
        lookLater()
      },
      onOver() {
        // Nothing came, so nothing is known of this network.
        if (lookIn === null) tryWebSockets()
        lookIn = null
        clearTimeout(timer)
        over.abort()
      },
    }
    // There each question is a request.
    return openSocket(createHttpSocket(addresses.http), guarded, patience, () => true)
  }

  return {
    /** What the next connection will be. */
    current: () => transport,
    /** @throws what `makeSocket` throws */
    open(handlers: SocketHandlers): OpenSocket {
      if (transport === 'http') return openHttp(handlers)
      try {
        return openWebSocket(handlers)
      } catch (error) {
        // A page may be allowed plain HTTP only.
        void noteEnd('refused')
        throw error
      }
    },
    /** The network may be another one. */
    lookAgain() {
      suspicion = 0
      nextLookMs = firstLookMs
      patience.reset()
      lookIn?.(Math.random() * jitterMs)
    },
    close: () => closed.abort(),
  }
}
export type Transports = ReturnType<typeof createTransports>
