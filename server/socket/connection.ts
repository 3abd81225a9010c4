import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { TRPCError } from '@trpc/server'
import type { AnyRouter } from '@trpc/server/unstable-core-do-not-import'
import type { WebSocket } from 'ws'
import type { Intake } from '../fairness/intake.ts'
import { type CreateContext, createAdmission } from './admission.ts'
import { createAnswers } from './answers.ts'
import { createCalls } from './calls.ts'
import type { Clock } from './clock.ts'
import { closeCodes } from './close-codes.ts'
import { createClosing } from './closing.ts'
import { createDeadlines } from './deadlines.ts'
import { readFrames } from './frame-reader.ts'
import { headWithoutId } from './frames.ts'
import { createInbox } from './inbox.ts'
import type { SocketLimits } from './limits.ts'
import type { ErrorInfo, Replies } from './replies.ts'
import { createRequests } from './requests.ts'
import { createSubscriptions } from './subscriptions.ts'
import { createWriter, type Turn } from './writer.ts'

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

/** The same as its server has it. */
export interface ServerConnection {
  readonly connection: Connection
  /** Whose it is; undefined: nobody's yet. */
  readonly user: string | undefined
  /** Bytes that the operating system has not taken. */
  unsentBytes(): number
  /** @param withParams whether the first frame brings `connectionParams` */
  open(withParams: boolean, createContext: CreateContext): void
  close(code: number, reason: string): void
  /** Ends the TCP connection at once. */
  cut(why: string): void
  /** Looks at all that is due at `now`. */
  tick(now: number): void
  /** Tells the client at `noticeAt` to move to another server, and closes when it has had the time to. */
  retire(noticeAt: number): void
}

/** What all connections need of their server. */
export interface ConnectionHost {
  readonly router: AnyRouter
  readonly limits: SocketLimits
  readonly clock: Clock
  readonly turn: Turn
  readonly replies: Replies
  onError(info: ErrorInfo): void
  /** A connection of `before` (undefined: of nobody yet) is now one of `user`. @throws TRPCError `TOO_MANY_REQUESTS` */
  onIdentify(user: string, before: string | undefined): void
  /** Counts one more subscription of this user. @returns a function that takes it off again; null: she has too many */
  holdSubscription(user: string): (() => void) | null
  onCut(id: string, why: string): void
  onGone(connection: ServerConnection): void
}

/** Joins what one socket is made of; each part owns its state. */
export const createConnection = (
  host: ConnectionHost,
  ws: WebSocket,
  socket: Duplex,
  address: string,
  intake: Intake | undefined,
): ServerConnection => {
  const { router, limits, clock, turn, replies, onError } = host
  let user: string | undefined

  const writer = createWriter(socket, {
    turn,
    pauseBytes: limits.pauseBytes,
    onRoom() {
      calls.pump()
      subscriptions.pull()
      inbox.readOn()
    },
    onOverflow: () => closing.cut('it does not take what is sent'),
  })
  const closing = createClosing(ws, {
    flush: writer.flush,
    dropWork() {
      writer.end()
      inbox.discard()
      calls.clear()
      subscriptions.drop()
    },
    onCut: (why) => host.onCut(connection.id, why),
    onGone: () => host.onGone(served),
  })
  const { close, cut } = closing
  const connection: Connection = {
    // Not a UUID: node joins one of twenty strings, and a connection would hold them all.
    id: randomBytes(12).toString('base64url'),
    address,
    closed: closing.signal,
    identify(name) {
      if (closing.isOver) return
      host.onIdentify(name, user)
      user = name
      intake?.share.identify(name)
      admission.identified()
    },
    close,
  }
  /** The official client sends its first calls right behind the `connectionParams`. They are still answered, each with
   *  the reason, before the socket is closed; without a call, the message without an id makes that client back off. */
  const onRejected = (error: TRPCError) => {
    answers.report(undefined, error)
    if (closing.isOver) return
    answers.refuseEntry(headWithoutId, error)
    for (const call of calls.clear()) answers.refuse(call, error)
    subscriptions.drop()
    inbox.readOn()
    // The client's fault, who would do it again: it is told so at once.
    if (error.code === 'PARSE_ERROR') close(closeCodes.policyViolation, error.message)
  }
  const admission = createAdmission({
    limits,
    clock,
    onAdmitted(ctx) {
      if (!closing.isOver) calls.open(ctx)
    },
    onRejected,
  })
  const answers = createAnswers({
    cutBytes: limits.cutAnswerBytes,
    replies,
    writer,
    admission,
    onError,
    work: intake ? intake.share.work : (run) => run(),
  })
  const subscriptions = createSubscriptions({
    max: limits.subscriptions,
    hold: () => (user === undefined ? () => {} : host.holdSubscription(user)),
    cutBytes: limits.cutBytes,
    replies,
    writer,
    answers,
  })
  const calls = createCalls({
    router,
    limits,
    writer,
    answers,
    closed: closing.signal,
    onFinished: () => inbox.readOn(),
  })
  const inbox = createInbox(ws, {
    mayRead: () => writer.hasRoom && !calls.isFull() && !deadlines.isRetired,
    onText: createRequests({ limits, admission, calls, subscriptions, answers, closing }),
    onFlood: () => close(closeCodes.policyViolation, 'too many frames'),
  })
  const deadlines = createDeadlines({ limits, ws, socket, admission, answers, calls, inbox, closing })

  const onText = (text: string) => {
    if (!closing.isOver) inbox.receive(text)
  }
  readFrames(socket, ws, limits.maxFrameBytes, onText, () => close(closeCodes.notUtf8, 'not UTF-8'))
  ws.on('error', ignoreError)
  if (intake)
    intake.onLate = () => close(closeCodes.policyViolation, 'more calls than its share of the server can serve')

  const served: ServerConnection = {
    connection,
    get user() {
      return user
    },
    unsentBytes: () => socket.writableLength,
    open: admission.open,
    close,
    cut,
    tick: deadlines.tick,
    retire: deadlines.retire,
  }
  return served
}

/** `ws` closes by itself with the code that fits. */
const ignoreError = () => {}
