import { ChatError } from '../../server/contract/errors.ts'
import { fromErrorShape } from './errors.ts'
import { type OpenSocket, openSocket, type SocketClass } from './socket.ts'
import type { ClientState } from './state.ts'
import { type Answer, readFrame, writeConnectionParams } from './wire.ts'

/** Back-off between attempts: a random part (full jitter) of a time that doubles from the first to the second. */
const firstBackoffMs = 250
const lastBackoffMs = 25_000

const sessionEndedCode = 4401

export interface ConnectionOptions {
  /** Of the server's WebSocket. */
  url: string
  Socket: SocketClass
  /** The session to connect with, or null; called before each attempt. `ended`: the one before is no longer good. */
  token(why: 'connect' | 'ended'): Promise<string | null>
  onState(state: ClientState): void
  /** The connection stands: everything has to be said anew. */
  onLive(): void
  onAnswer(answer: Answer): void
  /** The server goes; call `go` when no answer is missing. */
  onLeaving(go: () => void): void
  /** The connection is gone; without `retry` for good, until `connect` is called again. */
  onLost(error: ChatError, retry: boolean): void
}

/** Keeps one connection: opens it, signs it in, opens it again when it is lost. */
export const createConnection = (options: ConnectionOptions) => {
  let socket: OpenSocket | null = null
  let state: ClientState = { status: 'idle' }
  let attempt = 0
  let retry: ReturnType<typeof setTimeout> | undefined
  let sessionEnded = false

  const enter = (next: ClientState) => {
    state = next
    options.onState(next)
  }
  const isClosed = () => state.status === 'closed'

  const connect = async () => {
    clearTimeout(retry)
    attempt++
    enter({ status: 'connecting', attempt })
    let token: string | null
    try {
      token = await options.token(sessionEnded ? 'ended' : 'connect')
    } catch (cause) {
      return lost(new ChatError('unavailable', { message: 'No token could be had for this connection', cause }))
    }
    if (isClosed()) return
    if (token === null && sessionEnded) return signedOut(new ChatError('sessionEnded'))
    sessionEnded = false
    socket = openSocket(options.Socket, options.url, {
      onOpen() {
        socket?.send(writeConnectionParams(token))
        enter({ status: 'live' })
        options.onLive()
      },
      onText,
      onClose(code, reason) {
        socket = null
        if (isClosed()) return
        sessionEnded ||= code === sessionEndedCode
        const kind = sessionEnded ? 'sessionEnded' : 'connectionLost'
        lost(new ChatError(kind, { message: reason || `The connection was closed (${code})` }))
      },
    })
  }

  const onText = (text: string) => {
    const frame = readFrame(text)
    if (frame === null) return
    attempt = 0
    if (frame.id !== null) options.onAnswer(frame)
    else if (frame.type === 'reconnect') leave()
    else sessionEnded ||= fromErrorShape(frame.error).kind === 'sessionEnded'
  }

  /** The server closes this connection soon; those who were asked to go early find the next one less crowded. */
  const leave = () => {
    const left = socket
    options.onLeaving(() => left?.drop('The server is going away'))
  }

  const lost = (error: ChatError) => {
    const most = Math.min(lastBackoffMs, firstBackoffMs * 2 ** Math.min(attempt, 10))
    const waitMs = Math.random() * most
    enter({ status: 'offline', error, retryAt: new Date(Date.now() + waitMs) })
    options.onLost(error, true)
    retry = setTimeout(connect, waitMs)
  }

  const signedOut = (error: ChatError) => {
    sessionEnded = false
    enter({ status: 'signedOut', error })
    options.onLost(error, false)
  }

  return {
    state: () => state,
    /** Opens the connection where none is open, on its way or planned. */
    connect() {
      if (state.status === 'idle' || state.status === 'signedOut') void connect()
    },
    send: (text: string) => socket?.send(text),
    /** The server says that the session is over: get a new one, or be signed out. */
    endSession() {
      sessionEnded = true
      socket?.drop('The session has ended')
    },
    close() {
      if (isClosed()) return
      clearTimeout(retry)
      enter({ status: 'closed' })
      socket?.close()
      options.onLost(new ChatError('closed'), false)
    },
  }
}
export type Connection = ReturnType<typeof createConnection>
