import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { getTRPCErrorFromUnknown, TRPCError } from '@trpc/server'
import { isObservable } from '@trpc/server/observable'
import { type AnyRouter, isAsyncIterable } from '@trpc/server/unstable-core-do-not-import'
import { WebSocket } from 'ws'
import { Admission, type ConnectionParams } from './admission.ts'
import { Calls } from './calls.ts'
import type { Clock } from './clock.ts'
import { closeCodes, closeReason } from './close-codes.ts'
import { noPart, type Part } from './frame-layout.ts'
import { FrameReader } from './frame-reader.ts'
import { type Call, type Entry, headWithoutId, parseJson, type RequestId, readEntry } from './frames.ts'
import { Inbox } from './inbox.ts'
import type { SocketLimits } from './limits.ts'
import { Liveness } from './liveness.ts'
import type { ErrorInfo, Replies } from './replies.ts'
import { Subscription } from './subscription.ts'
import { type Turn, Writer } from './writer.ts'

/** A socket as `createContext` gets it, and as procedures may reach it through their context. */
export interface Connection {
  readonly id: string
  /** The client's address, as `clientAddress` decided. */
  readonly address: string
  /** Aborted when the socket is gone. Queries and mutations get it as their signal; it lives as long as the connection,
   *  so take your listeners off it. */
  readonly closed: AbortSignal
  /** Names whose connection this is: it counts among this user's sockets, and may stay open. A later call with another
   *  name moves it there. @throws TRPCError `TOO_MANY_REQUESTS` over `socketsPerUser` */
  identify(user: string): void
  /** Sends what is queued, then closes with this code. Calls in flight are no longer answered. A peer that does not
   *  answer the close within `closeWaitMs` is cut. */
  close(code: number, reason: string): void
}

/** What a connection needs of its server. */
export interface ConnectionHost {
  readonly router: AnyRouter
  readonly limits: SocketLimits
  readonly clock: Clock
  readonly turn: Turn
  readonly replies: Replies
  createContext(opts: { connection: Connection; connectionParams: ConnectionParams; req: IncomingMessage }): unknown
  onError(info: ErrorInfo & { req: IncomingMessage }): void
  /** @throws TRPCError `TOO_MANY_REQUESTS` */
  onIdentify(connection: SocketConnection, user: string): void
  onCut(connection: SocketConnection, why: string): void
  onGone(connection: SocketConnection): void
}

const reconnectNotice = '{"id":null,"method":"reconnect"}'

type Phase = 'open' | 'closing' | 'gone'

export class SocketConnection implements Connection {
  readonly id = randomUUID()
  readonly address: string
  /** Whom `identify` named; the server counts by it. */
  user: string | undefined
  readonly #host: ConnectionHost
  readonly #ws: WebSocket
  readonly #socket: Duplex & { bytesRead?: number; bytesWritten?: number }
  readonly #req: IncomingMessage
  readonly #inbox: Inbox
  readonly #writer: Writer
  readonly #calls: Calls
  readonly #subscriptions = new Map<RequestId, Subscription>()
  #unsettledSubscriptions = 0
  #closed: AbortController | undefined
  readonly #admission: Admission
  #phase: Phase = 'open'
  #ctx: unknown

  // Times of the server's clock, looked at by `tick`.
  readonly #liveness: Liveness
  #closingAt: number | undefined
  #noticeAt = Number.POSITIVE_INFINITY
  #retireAt = Number.POSITIVE_INFINITY
  /** What still comes is not read any more. */
  #isRetired = false

  constructor(host: ConnectionHost, ws: WebSocket, socket: Duplex, req: IncomingMessage, address: string) {
    this.#host = host
    this.#ws = ws
    this.#socket = socket
    this.#req = req
    this.address = address
    this.#liveness = new Liveness(host.limits)
    this.#writer = new Writer(socket, {
      turn: host.turn,
      pauseBytes: host.limits.pauseBytes,
      onRoom: () => this.#onRoom(),
      onOverflow: () => this.cut('it does not take what is sent'),
    })
    this.#calls = new Calls(this)
    this.#admission = new Admission({
      limits: host.limits,
      clock: host.clock,
      createContext: (connectionParams) => host.createContext({ connection: this, connectionParams, req }),
      onAdmitted: (ctx) => this.#onAdmitted(ctx),
      onRejected: (error) => this.#onRejected(error),
    })
    this.#inbox = new Inbox(ws, {
      mayRead: () => this.#writer.hasRoom && !this.#calls.full && !this.#isRetired,
      onText: (text) => this.#read(text),
      onFlood: () => this.close(closeCodes.policyViolation, 'too many frames'),
    })
    new FrameReader(socket, ws, host.limits.maxFrameBytes, (text) => {
      if (!this.#over) this.#inbox.take(text)
    })
    ws.on('error', () => {}) // `ws` closes by itself with the code that fits
    ws.on('close', () => this.#onGone())
  }

  /** @param withParams whether the first frame brings `connectionParams` */
  open(withParams: boolean) {
    this.#admission.open(withParams)
  }

  /** Nothing is read or sent any more. */
  get #over(): boolean {
    return this.#phase === 'closing' || this.#phase === 'gone'
  }

  // ---- what the application sees

  get closed(): AbortSignal {
    if (this.#closed === undefined) {
      this.#closed = new AbortController()
      // Every call in flight may listen.
      EventEmitter.setMaxListeners(0, this.#closed.signal)
      if (this.#phase === 'gone') this.#closed.abort()
    }
    return this.#closed.signal
  }

  identify(user: string) {
    if (this.#over) return
    this.#host.onIdentify(this, user)
    this.#admission.identified()
  }

  close(code: number, reason: string) {
    if (this.#over) return
    this.#phase = 'closing'
    this.#dropWork()
    this.#writer.flush()
    this.#ws.close(code, closeReason(reason))
  }

  // ---- what comes in

  #read(text: string) {
    if (text === 'PING') return this.#sendAnswer('PONG')
    if (text === 'PONG') return
    if (this.#admission.take(text)) return

    let frame: unknown
    try {
      frame = parseJson(text, this.limits.maxJsonDepth)
    } catch (cause) {
      return this.#refuseEntry(headWithoutId, new TRPCError({ code: 'PARSE_ERROR', cause }))
    }
    if (!Array.isArray(frame)) return this.#take(readEntry(frame, 0))
    const { maxBatch } = this.limits
    if (frame.length > maxBatch) return this.close(closeCodes.policyViolation, `more than ${maxBatch} calls in a batch`)
    frame.forEach((entry, index) => {
      this.#take(readEntry(entry, index))
    })
  }

  #take(entry: Entry) {
    // An entry before it in the batch may have been the end of the connection.
    if (this.#over) return
    if (entry.kind === 'stop') this.#subscriptions.get(entry.id)?.stop()
    else if (entry.kind === 'malformed') {
      this.#refuseEntry(entry.head, new TRPCError({ code: 'PARSE_ERROR', message: entry.message }))
    } else if (this.#admission.rejection) this.#answerError(entry, this.#admission.rejection)
    else if (entry.type === 'subscription') this.#subscribe(entry)
    else this.#calls.push(entry)
  }

  #subscribe(call: Call) {
    if (this.#subscriptions.has(call.id)) {
      return this.fail(call, new TRPCError({ code: 'BAD_REQUEST', message: `Duplicate id ${call.id}` }))
    }
    if (this.#unsettledSubscriptions >= this.limits.subscriptions) {
      return this.fail(call, new TRPCError({ code: 'TOO_MANY_REQUESTS', message: 'Too many subscriptions' }))
    }
    const subscription = new Subscription(call, this)
    this.#subscriptions.set(call.id, subscription)
    this.#unsettledSubscriptions++
    this.#calls.push(call, subscription)
  }

  // ---- the context

  #onAdmitted(ctx: unknown) {
    if (this.#over) return
    this.#ctx = ctx
    this.#calls.open(ctx)
  }

  /** The official client sends its first calls right behind the `connectionParams`. They are still answered, each with
   *  the reason, before the socket is closed; without a call, the message without an id makes that client back off. */
  #onRejected(error: TRPCError) {
    this.#onError(error, undefined)
    if (this.#over) return
    this.#refuseEntry(headWithoutId, error)
    for (const call of this.#calls.clear()) this.#answerError(call, error)
    for (const subscription of this.#subscriptions.values()) subscription.drop()
    this.#inbox.readOn()
  }

  // ---- what goes out; for the calls and subscriptions

  get router(): AnyRouter {
    return this.#host.router
  }
  get limits(): SocketLimits {
    return this.#host.limits
  }
  get replies(): Replies {
    return this.#host.replies
  }
  get hasRoom(): boolean {
    return this.#writer.hasRoom
  }

  send(head: Buffer, tail: Part) {
    if (!this.#over) this.#writer.send(head, tail, this.limits.cutBytes)
  }

  #sendAnswer(text: string) {
    if (!this.#over) this.#writer.send(text, noPart, this.limits.cutAnswerBytes)
  }

  /** @throws whatever serialising the result throws */
  answer(call: Call, result: unknown) {
    if (isAsyncIterable(result) || isObservable(result)) {
      const message = `Cannot return an async iterable or observable from a ${call.type} procedure with WebSockets`
      throw new TRPCError({ code: 'UNSUPPORTED_MEDIA_TYPE', message })
    }
    this.#sendAnswer(call.head + this.replies.data(result))
  }

  fail(call: Call, cause: unknown) {
    this.#answerError(call, this.report(call, cause))
  }

  report(call: Call, cause: unknown): TRPCError {
    const error = getTRPCErrorFromUnknown(cause)
    this.#onError(error, call)
    return error
  }

  #answerError(call: Call, error: TRPCError) {
    const { type, path, input } = call
    this.#sendAnswer(call.head + this.replies.error({ error, type, path, input, ctx: this.#ctx }))
  }

  #refuseEntry(head: string, error: TRPCError) {
    const info = { error, type: 'unknown', path: undefined, input: undefined, ctx: this.#ctx } as const
    this.#sendAnswer(head + this.replies.error(info))
  }

  #onError(error: TRPCError, call: Call | undefined) {
    const { type, path, input } = call ?? { type: 'unknown' as const, path: undefined, input: undefined }
    this.#host.onError({ error, type, path, input, ctx: this.#ctx, req: this.#req })
  }

  #onRoom() {
    this.#calls.pump()
    for (const subscription of this.#subscriptions.values()) subscription.pull()
    this.#inbox.readOn()
  }

  onCallFinished() {
    this.#inbox.readOn()
  }

  onEnded(subscription: Subscription) {
    this.#subscriptions.delete(subscription.call.id)
  }

  onSettled() {
    this.#unsettledSubscriptions--
  }

  // ---- the end

  /** Looks at all that is due at `now`. */
  tick(now: number) {
    if (this.#ws.readyState !== WebSocket.OPEN) {
      // Also a peer that ended its side and takes nothing: `ws` sets no timer of its own for that one.
      this.#closingAt ??= now
      if (now - this.#closingAt >= this.limits.closeWaitMs) this.#ws.terminate()
      return
    }
    const overdue = this.#admission.overdue(now)
    if (overdue) return this.close(overdue.code, overdue.reason)
    if (now >= this.#noticeAt) this.#notify(now)
    if (now >= this.#retireAt) {
      // Whoever goes on asking would never be idle.
      this.#isRetired = true
      if (this.#calls.idle) return this.close(closeCodes.restarting, 'restarting')
    }
    this.#checkAlive(now)
  }

  #checkAlive(now: number) {
    // Bytes received tell of pongs as of all else. A paused socket receives none: there, taking bytes is a sign of life,
    // and a call that finished gives it another chance.
    let sign = this.#socket.bytesRead ?? now
    if (this.#inbox.paused) {
      sign += (this.#socket.bytesWritten ?? 0) - this.#socket.writableLength + this.#calls.finished
    }
    const verdict = this.#liveness.look(now, sign)
    if (verdict === 'ping') this.#ws.ping()
    else if (verdict === 'dead') this.cut('it is silent')
  }

  /** Tells the client at `noticeAt` to move to another server, and closes when it had the time to. */
  retire(noticeAt: number) {
    this.#noticeAt = noticeAt
  }

  #notify(now: number) {
    this.#noticeAt = Number.POSITIVE_INFINITY
    this.#retireAt = now + this.limits.handOffMs
    this.#sendAnswer(reconnectNotice)
  }

  /** Ends the TCP connection at once. */
  cut(why: string) {
    if (this.#phase === 'gone') return
    if (this.#ws.readyState === WebSocket.OPEN) this.#host.onCut(this, why)
    this.#phase = 'closing'
    this.#dropWork()
    this.#ws.terminate()
  }

  #onGone() {
    this.#phase = 'gone'
    this.#dropWork()
    this.#closed?.abort()
    this.#host.onGone(this)
  }

  #dropWork() {
    this.#inbox.discard()
    this.#calls.clear()
    if (this.#subscriptions.size === 0) return
    const reason = new DOMException('This operation was aborted', 'AbortError')
    for (const subscription of this.#subscriptions.values()) subscription.drop(reason)
  }
}
