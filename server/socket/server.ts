import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { TRPCError } from '@trpc/server'
import type { AnyRouter, inferRouterContext } from '@trpc/server/unstable-core-do-not-import'
import { type ServerOptions, WebSocket, WebSocketServer } from 'ws'
import type { ConnectionParams } from './admission.ts'
import { type Clock, systemClock } from './clock.ts'
import { closeCodes } from './close-codes.ts'
import { type Connection, type ConnectionHost, SocketConnection } from './connection.ts'
import { maxBufferedChunks, maxFragments, type SocketLimits, socketDefaults } from './limits.ts'
import { type ErrorInfo, Replies } from './replies.ts'
import { refuseUpgrade, splitTarget } from './upgrade.ts'
import { Turn } from './writer.ts'

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
  /** Decides by the request's headers whether a page of that origin may connect. */
  allowOrigin(req: IncomingMessage): boolean
  /** By which sockets are counted; behind a proxy, what its headers say. */
  clientAddress(req: IncomingMessage): string
  /** Each error that a procedure, a stream, or `createContext` throws. What it throws itself is lost. */
  onError?(info: ErrorInfo & { req: IncomingMessage }): void
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
export function createSocketServer<Router extends AnyRouter>(options: SocketOptions<Router>): SocketServer {
  const limits = { ...socketDefaults, ...options.limits }
  const clock = options.clock ?? systemClock
  const { log } = options
  const connections = new Set<SocketConnection>()
  const perAddress = new Counts()
  const perUser = new Counts()
  const totals = { opened: 0, refused: 0, cut: 0 }
  let draining = false
  let drainDeadline = Number.POSITIVE_INFINITY
  let onEmpty = () => {}

  const onError = (info: ErrorInfo & { req?: IncomingMessage }) => {
    try {
      // It may be an async function; neither its throw nor its rejection may end the process.
      Promise.resolve(options.onError?.(info as ErrorInfo & { req: IncomingMessage })).catch(() => {})
    } catch {}
  }
  const replies = new Replies(options.router, onError)

  const host: ConnectionHost = {
    router: options.router,
    limits,
    clock,
    replies,
    turn: new Turn(),
    createContext: options.createContext,
    onError,
    onIdentify(connection, user) {
      if (connection.user === user) return
      if (perUser.of(user) >= limits.socketsPerUser) {
        throw new TRPCError({ code: 'TOO_MANY_REQUESTS', message: 'Too many connections of this user' })
      }
      if (connection.user !== undefined) perUser.remove(connection.user)
      perUser.add(user)
      connection.user = user
    },
    onCut(connection, why) {
      totals.cut++
      log.info({ connection: connection.id, why }, 'socket cut')
    },
    onGone(connection) {
      connections.delete(connection)
      perAddress.remove(connection.address)
      if (connection.user !== undefined) perUser.remove(connection.user)
      if (connections.size === 0) onEmpty()
    },
  }

  const wss = new WebSocketServer(webSocketOptions(limits))

  function open(ws: WebSocket, socket: Duplex, req: IncomingMessage, address: string, withParams: boolean) {
    const connection = new SocketConnection(host, ws, socket, req, address)
    connections.add(connection)
    perAddress.add(address)
    totals.opened++
    connection.open(withParams)
  }

  /** The status to refuse with, or nothing. */
  function refusal(req: IncomingMessage, path: string, address: string): number | undefined {
    if (path !== options.path) return 404
    if (req.method !== 'GET') return 405
    if (draining || connections.size >= limits.sockets) return 503
    if (!options.allowOrigin(req)) return 403
    if (perAddress.of(address) >= limits.socketsPerAddress) return 429
    return undefined
  }

  function tick() {
    const now = clock.now()
    const closeAll = now >= drainDeadline - limits.closeWaitMs
    const cutAll = now >= drainDeadline
    for (const connection of connections) {
      if (cutAll) connection.cut('the server ends')
      else if (closeAll) connection.close(closeCodes.restarting, 'restarting')
      connection.tick(now)
    }
  }
  const { signInMs, anonymousMs, rejectMs, pingMs, pongMs, closeWaitMs } = limits
  const timer = clock.every(Math.min(signInMs, anonymousMs, rejectMs, pingMs, pongMs, closeWaitMs) / 4, tick)

  const emptied = () =>
    new Promise<void>((resolve) => {
      onEmpty = resolve
      if (connections.size === 0) resolve()
    })

  return {
    handleUpgrade(req, socket, head) {
      socket.on('error', () => socket.destroy())
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

    stats: () => ({ connections: connections.size, users: perUser.size, ...totals }),

    async drain({ spreadMs, deadlineMs }) {
      draining = true
      const now = clock.now()
      drainDeadline = now + deadlineMs
      const step = spreadMs / Math.max(1, connections.size)
      let noticeAt = now
      for (const connection of connections) {
        connection.retire(noticeAt)
        noticeAt += step
      }
      await emptied()
    },

    async [Symbol.asyncDispose]() {
      draining = true
      for (const connection of connections) connection.close(closeCodes.goingAway, 'shutting down')
      await emptied()
      timer.cancel()
    },
  }
}

function webSocketOptions(limits: SocketLimits): ServerOptions & { closeTimeout: number } {
  return {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.maxFrameBytes,
    maxFragments,
    maxBufferedChunks,
    closeTimeout: limits.closeWaitMs,
    WebSocket: CodedWebSocket,
  }
}

/** A client that closes without a code is answered with 1000, where `ws` would answer with an empty close. */
class CodedWebSocket extends WebSocket {
  override close(code: number = closeCodes.normal, reason?: string | Buffer) {
    super.close(code, reason)
  }
}

class Counts {
  readonly #counts = new Map<string, number>()

  get size(): number {
    return this.#counts.size
  }
  of(key: string): number {
    return this.#counts.get(key) ?? 0
  }
  add(key: string) {
    this.#counts.set(key, this.of(key) + 1)
  }
  remove(key: string) {
    const left = this.of(key) - 1
    if (left > 0) this.#counts.set(key, left)
    else this.#counts.delete(key)
  }
}
