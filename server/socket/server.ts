import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AnyRouter, inferRouterContext } from '@trpc/server/unstable-core-do-not-import'
import { type ServerOptions, WebSocket, WebSocketServer } from 'ws'
import type { Intake } from '../fairness/intake.ts'
import { overdrawn } from '../fairness/unsent.ts'
import type { ConnectionParams } from './admission.ts'
import { type Clock, systemClock } from './clock.ts'
import { closeCodes } from './close-codes.ts'
import { type Connection, type ConnectionHost, createConnection } from './connection.ts'
import { maxBufferedChunks, maxFragments, type SocketLimits, socketDefaults } from './limits.ts'
import { createOpenConnections } from './open-connections.ts'
import { createReplies, type ErrorInfo } from './replies.ts'
import { refuseUpgrade, splitTarget } from './upgrade.ts'
import { createTurn } from './writer.ts'

export interface SocketLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface SocketOptions<Router extends AnyRouter> {
  router: Router
  /** Made once per connection. What it throws is what every call of that connection is answered with, before the socket
   *  is closed: 4401 for `UNAUTHORIZED`, 1013 for `TOO_MANY_REQUESTS`, else 1011. */
  createContext(opts: {
    connection: Connection
    connectionParams: ConnectionParams
    req: IncomingMessage
  }): inferRouterContext<Router> | Promise<inferRouterContext<Router>>
  /** The only path served, to the letter: '/trpc'. */
  path: string
  limits?: Partial<SocketLimits>
  /** Whether the request's `Host` names this server. */
  allowHost(req: IncomingMessage): boolean
  /** Decides by the request's headers whether a page of that origin may connect. */
  allowOrigin(req: IncomingMessage): boolean
  /** By which sockets are counted; behind a proxy, what its headers say. */
  clientAddress(req: IncomingMessage): string
  /** Bounds how fast a socket is read; none, if left out. */
  intakeOf?(socket: Duplex, address: string): Intake
  /** The network of many addresses that this one is in, counted by itself as well. Null: none. */
  siteOf(address: string): string | null
  /** Each error that a procedure, a stream, or `createContext` throws. What it throws itself is lost. */
  onError?(info: ErrorInfo): void
  log: SocketLog
  clock?: Clock
}

export interface SocketStats {
  connections: number
  /** Distinct users that `identify` named. */
  users: number
  /** Since the start: sockets opened, upgrades refused, and sockets cut because the peer did not keep up. */
  opened: number
  refused: number
  cut: number
}

export interface SocketServer {
  /** For the `upgrade` event of an `http.Server`. Answers what it refuses in plain HTTP: 400, 403, 404, 405, 429, 503.
   *  Never throws. How long a request may take to arrive is up to the HTTP server. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void
  stats(): SocketStats
  /** Refuses new sockets, tells clients to reconnect elsewhere, spread over `spreadMs`, lets calls finish, and closes
   *  1012. Resolves when all are gone; what is left `deadlineMs` from now is cut. */
  drain(opts: { spreadMs: number; deadlineMs: number }): Promise<void>
  /** Closes all sockets with 1001 and waits until they are gone, at most about `closeWaitMs`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Serves a tRPC router in tRPC's own WebSocket protocol. */
export const createSocketServer = <Router extends AnyRouter>(options: SocketOptions<Router>): SocketServer => {
  const limits = { ...socketDefaults, ...options.limits }
  const { log, clock = systemClock } = options
  const connections = createOpenConnections(limits, options.siteOf)
  const totals = { opened: 0, refused: 0, cut: 0 }
  const unsentLimits = { ofUser: limits.unsentPerUser, ofAddress: limits.unsentPerAddress, inAll: limits.unsent }
  let draining = false
  let drainDeadline = Number.POSITIVE_INFINITY

  const onError = (info: ErrorInfo) => {
    try {
      // It may be an async function; neither its throw nor its rejection may end the process.
      Promise.resolve(options.onError?.(info)).catch(() => {})
    } catch {}
  }

  const host: ConnectionHost = {
    router: options.router,
    limits,
    clock,
    replies: createReplies(options.router, onError),
    turn: createTurn(),
    onError,
    onIdentify: connections.identify,
    holdSubscription: connections.holdSubscription,
    onCut(id, why) {
      totals.cut++
      log.info({ connection: id, why }, 'socket cut')
    },
    onGone: connections.remove,
  }

  const wss = new WebSocketServer(webSocketOptions(limits))

  const open = (ws: WebSocket, socket: Duplex, req: IncomingMessage, address: string, withParams: boolean) => {
    const served = createConnection(host, ws, socket, address, options.intakeOf?.(socket, address))
    const { connection } = served
    connections.add(served)
    totals.opened++
    served.open(withParams, (connectionParams) => options.createContext({ connection, connectionParams, req }))
  }

  /** The status to refuse with, or nothing. */
  const refusal = (req: IncomingMessage, path: string, address: string): number | undefined => {
    if (path !== options.path) return 404
    if (req.method !== 'GET') return 405
    if (draining || connections.isFull()) return 503
    if (!options.allowHost(req)) return 421
    if (!options.allowOrigin(req)) return 403
    if (connections.isFullFor(address)) return 429
    return undefined
  }

  const cutOverdrawn = () => {
    const debtors = []
    for (const served of connections.all) {
      const bytes = served.unsentBytes()
      if (bytes > 0) debtors.push({ served, bytes, user: served.user, address: served.connection.address })
    }
    for (const { served } of overdrawn(debtors, unsentLimits)) served.cut('too much waits for it')
  }

  const tick = () => {
    const now = clock.now()
    const closeAll = now >= drainDeadline - limits.closeWaitMs
    const cutAll = now >= drainDeadline
    for (const connection of connections.all) {
      if (cutAll) connection.cut('the server ends')
      else if (closeAll) connection.close(closeCodes.restarting, 'restarting')
      connection.tick(now)
    }
    cutOverdrawn()
  }
  const { signInMs, anonymousMs, rejectMs, pingMs, pongMs, closeWaitMs } = limits
  const timer = clock.every(Math.min(signInMs, anonymousMs, rejectMs, pingMs, pongMs, closeWaitMs) / 4, tick)

  return {
    handleUpgrade(req, socket, head) {
      destroyOnError(socket)
      try {
        const { path, query } = splitTarget(req)
        const address = options.clientAddress(req)
        const status = refusal(req, path, address)
        if (status !== undefined) {
          totals.refused++
          return refuseUpgrade(socket, status)
        }
        const withParams = query.get('connectionParams') === '1'
        wss.handleUpgrade(req, socket, head, (ws) => open(ws, socket, req, address, withParams))
      } catch (error) {
        totals.refused++
        log.warn({ error }, 'upgrade failed')
        refuseUpgrade(socket, 400)
      }
    },

    stats: () => ({ connections: connections.all.size, users: connections.userCount(), ...totals }),

    async drain({ spreadMs, deadlineMs }) {
      draining = true
      const now = clock.now()
      drainDeadline = now + deadlineMs
      const step = spreadMs / Math.max(1, connections.all.size)
      let noticeAt = now
      for (const connection of connections.all) {
        connection.retire(noticeAt)
        noticeAt += step
      }
      await connections.emptied()
    },

    async [Symbol.asyncDispose]() {
      draining = true
      for (const connection of connections.all) connection.close(closeCodes.goingAway, 'shutting down')
      await connections.emptied()
      timer.cancel()
    },
  }
}

/** Apart, so that the listener holds nothing but the socket for as long as that lives. */
const destroyOnError = (socket: Duplex) => socket.on('error', () => socket.destroy())

const webSocketOptions = (limits: SocketLimits): ServerOptions & { closeTimeout: number } => ({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: limits.maxFrameBytes,
  maxFragments,
  maxBufferedChunks,
  closeTimeout: limits.closeWaitMs,
  WebSocket: CodedWebSocket,
})

/** A client that closes without a code is answered with 1000, where `ws` would answer with an empty close. A class, since
 *  `ws` asks for one. */
class CodedWebSocket extends WebSocket {
  override close(code: number = closeCodes.normal, reason?: string | Buffer) {
    super.close(code, reason)
  }
}
