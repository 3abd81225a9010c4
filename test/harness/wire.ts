import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { initTRPC, TRPCError, tracked } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { observable } from '@trpc/server/observable'
import superjson from 'superjson'
import { WebSocket, WebSocketServer } from 'ws'
import type { Clock } from '../../server/socket/clock.ts'
import type { Connection } from '../../server/socket/connection.ts'
import type { SocketLimits } from '../../server/socket/limits.ts'
import { createSocketServer, type SocketOptions, type SocketServer } from '../../server/socket/server.ts'

export interface WireContext {
  connection: Connection | undefined
}

/** What the procedures below tell the test, and wait for. */
export class Stage {
  /** Calls of `held` wait until the test lets them go. */
  readonly waiting: (() => void)[] = []
  readonly started: string[] = []
  readonly finished: string[] = []
  produced = 0
  /** One for each subscription of `emitted`. */
  readonly emitters: ((value: unknown) => void)[] = []
  #watchers: (() => void)[] = []

  emit(value: unknown) {
    for (const emit of this.emitters) emit(value)
  }
  changed() {
    for (const look of this.#watchers) look()
  }
  /** Resolves as soon as `condition` holds; looked at whenever a procedure did something. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return
        this.#watchers = this.#watchers.filter((other) => other !== look)
        resolve()
      }
      this.#watchers.push(look)
      look()
    })
  }
}

type Transformer = Pick<typeof superjson, 'serialize' | 'deserialize'>

/** JSON as it is, which is what tRPC does without a transformer. */
export const plainJson = {
  serialize: (value: unknown) => value,
  deserialize: (value: unknown) => value,
} as unknown as Transformer

export function wireRouter(stage = new Stage(), transformer: Transformer = superjson) {
  const t = initTRPC.context<WireContext>().create({
    isDev: false,
    transformer,
    errorFormatter: ({ shape }) => ({ ...shape, data: { ...shape.data, formatted: true } }),
  })
  const any = t.procedure.input((value: unknown) => value as Record<string, unknown> | undefined)
  return t.router({
    echo: any.query(({ input }) => ({ input, at: new Date(0) })),
    save: any.mutation(({ input }) => ({ saved: input })),
    nothing: any.query(() => undefined),
    refuse: any.mutation(() => {
      throw new TRPCError({ code: 'FORBIDDEN', message: 'not you' })
    }),
    unserialisable: any.query(() => {
      const get = () => {
        throw new Error('cannot be written')
      }
      return Object.defineProperty({}, 'x', { enumerable: true, get })
    }),
    stream: any.query(async function* () {
      yield 1
    }),
    held: any.mutation(async ({ input }) => {
      stage.started.push(String(input?.name))
      await new Promise<void>((resolve) => {
        stage.waiting.push(resolve)
        stage.changed()
      })
      stage.finished.push(String(input?.name))
      stage.changed()
      return input?.name
    }),
    bytes: any.query(({ input }) => 'x'.repeat(Number(input?.bytes))),
    identify: any.mutation(({ ctx, input }) => ctx.connection?.identify(String(input?.user))),
    leave: any.mutation(({ ctx }) => ctx.connection?.close(4401, 'signed out')),
    numbers: any.subscription(async function* ({ input }) {
      for (let n = Number(input?.lastEventId ?? 0) + 1; n <= Number(input?.to ?? 3); n++)
        yield tracked(String(n), { n })
    }),
    untracked: any.subscription(async function* () {
      yield { at: new Date(0) }
      yield 'text'
      yield undefined
    }),
    pushed: any.subscription(() =>
      observable<unknown>((emit) => {
        emit.next(1)
        emit.next(tracked('two', { n: 2 }))
        emit.complete()
      }),
    ),
    pushedError: any.subscription(() =>
      observable<unknown>((emit) => emit.error(new TRPCError({ code: 'CONFLICT', message: 'pushed too far' }))),
    ),
    emitted: any.subscription(() =>
      observable<unknown>((emit) => {
        stage.emitters.push((value) => emit.next(value))
        stage.changed()
      }),
    ),
    broken: any.subscription(async function* () {
      yield 1
      throw new TRPCError({ code: 'NOT_FOUND', message: 'gone' })
    }),
    noStream: any.subscription((() => 5) as never),
    refusedStream: any.subscription((() => {
      throw new TRPCError({ code: 'FORBIDDEN', message: 'not you' })
    }) as never),
    idle: any.subscription(async function* ({ signal }) {
      stage.started.push('idle')
      stage.changed()
      try {
        await new Promise((resolve) => signal?.addEventListener('abort', resolve))
      } finally {
        stage.finished.push('idle')
        stage.changed()
      }
    }),
    deaf: any.subscription(async function* () {
      stage.started.push('deaf')
      stage.changed()
      yield 1
      await new Promise(() => {})
    }),
    firehose: any.subscription(async function* ({ input }) {
      const text = 'x'.repeat(Number(input?.bytes ?? 1000))
      for (;;) {
        stage.produced++
        stage.changed()
        yield { n: stage.produced, text }
      }
    }),
  })
}
export type WireRouter = ReturnType<typeof wireRouter>

export interface Running extends AsyncDisposable {
  url: string
  port: number
  http: Server
}
export interface RunningSocket extends Running {
  socket: SocketServer
  stage: Stage
  errors: { message: string; path: string | undefined }[]
  /** The connections in the order of their opening. */
  connections: Connection[]
  rawSockets: Socket[]
}

async function listen(http: Server): Promise<number> {
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return (http.address() as AddressInfo).port
}

type Extras = Partial<Omit<SocketOptions<WireRouter>, 'router' | 'limits'>> & {
  limits?: Partial<SocketLimits>
  clock?: Clock
  transformer?: Transformer
}

/** Our adapter on a free port. */
export async function startSocket(extras: Extras = {}): Promise<RunningSocket> {
  const stage = new Stage()
  const errors: RunningSocket['errors'] = []
  const connections: Connection[] = []
  const rawSockets: Socket[] = []
  const socket = createSocketServer({
    router: wireRouter(stage, extras.transformer),
    createContext: ({ connection }) => ({ connection }),
    path: '/trpc',
    allowHost: () => true,
    allowOrigin: (req) => req.headers.origin !== 'http://evil.example',
    clientAddress: (req) => req.socket.remoteAddress ?? '',
    siteOf: () => null,
    onError: ({ error, path }) => errors.push({ message: error.message, path }),
    log: { info() {}, warn() {} },
    ...extras,
    ...(extras.createContext
      ? {}
      : {
          createContext: ({ connection }) => {
            connections.push(connection)
            return { connection }
          },
        }),
  })
  const http = createServer((_req, res) => res.end('http'))
  http.on('upgrade', (req, raw, head) => {
    rawSockets.push(raw as Socket)
    socket.handleUpgrade(req, raw, head)
  })
  const port = await listen(http)
  return {
    url: `ws://127.0.0.1:${port}/trpc`,
    port,
    http,
    socket,
    stage,
    errors,
    connections,
    rawSockets,
    async [Symbol.asyncDispose]() {
      await socket[Symbol.asyncDispose]()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

/** tRPC's own adapter on a free port, with the same router. */
export async function startStock(transformer: Transformer = superjson): Promise<Running> {
  const http = createServer()
  const wss = new WebSocketServer({ server: http })
  applyWSSHandler({
    wss,
    router: wireRouter(new Stage(), transformer),
    createContext: () => ({ connection: undefined }),
  })
  const port = await listen(http)
  return {
    url: `ws://127.0.0.1:${port}/trpc`,
    port,
    http,
    async [Symbol.asyncDispose]() {
      for (const client of wss.clients) client.terminate()
      wss.close()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

type Frame = Record<string, unknown> & { id?: unknown; error?: unknown; result?: { type: string; data?: unknown } }

/** A client that sends and receives frames as they are. */
export class Wire implements Disposable {
  readonly received: (Frame | string)[] = []
  readonly closed: Promise<{ code: number; reason: string }>
  readonly ws: WebSocket
  #watchers = new Set<() => void>()
  #gone = false

  constructor(ws: WebSocket) {
    this.ws = ws
    ws.on('message', (data, isBinary) => {
      if (isBinary) throw new Error('the protocol is text')
      const text = String(data)
      this.received.push(text.startsWith('{') ? JSON.parse(text) : text)
      for (const look of this.#watchers) look()
    })
    this.closed = new Promise((resolve) =>
      ws.on('close', (code, reason) => {
        resolve({ code, reason: String(reason) })
        this.#gone = true
        for (const look of this.#watchers) look()
      }),
    )
    ws.on('error', () => {})
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<Wire> {
    const ws = new WebSocket(url, { headers, perMessageDeflate: false })
    const wire = new Wire(ws)
    await new Promise<void>((resolve, reject) => {
      ws.once('open', resolve)
      ws.once('unexpected-response', (_req, res) => reject(new Error(`HTTP ${res.statusCode}`)))
      ws.once('error', reject)
    })
    return wire
  }

  send(message: unknown): this {
    this.ws.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message))
    return this
  }
  call(id: unknown, method: string, path: string, input?: unknown): this {
    return this.send(request(id, method, path, input))
  }

  /** Resolves when `condition` holds for what was received; rejects if the socket closes before. */
  until(condition: (received: (Frame | string)[]) => boolean): Promise<(Frame | string)[]> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!condition(this.received)) {
          if (!this.#gone) return
          reject(new Error(`closed after ${JSON.stringify(this.received).slice(0, 500)}`))
        }
        this.#watchers.delete(look)
        resolve(this.received)
      }
      this.#watchers.add(look)
      look()
    })
  }
  frames(count: number) {
    return this.until((received) => received.length >= count)
  }
  /** The first answer under this id that is not `started`. */
  async answer(id: unknown): Promise<Frame> {
    const matches = (frame: Frame | string): frame is Frame =>
      typeof frame === 'object' && frame.id === id && frame.result?.type !== 'started'
    const received = await this.until((frames) => frames.some(matches))
    return received.find(matches)!
  }

  [Symbol.dispose]() {
    this.ws.terminate()
  }
}

/** With the input as superjson writes it; without input, without one. */
export function request(id: unknown, method: string, path: string, input?: unknown) {
  return { id, method, params: { path, ...(input === undefined ? {} : { input: superjson.serialize(input) }) } }
}

export const upgradeHeaders =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'

/** Sends bytes and collects what comes back, until the server ends the connection or sends `enough`. */
export function sendBytes(port: number, bytes: string | Buffer, enough = /$^/): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const raw = connect(port, '127.0.0.1', () => raw.write(bytes))
    raw.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      if (enough.test(answer)) raw.destroy()
    })
    raw.on('error', () => {})
    raw.on('close', () => resolve(answer))
  })
}

/** A text frame as a client sends it, with a mask of zeros. */
export function maskedFrame(text: string | Buffer, first = 0x81): Buffer {
  const payload = Buffer.from(text)
  const head =
    payload.length < 126
      ? Buffer.from([first, 0x80 | payload.length])
      : Buffer.from([first, 0x80 | 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([head, Buffer.alloc(4), payload])
}

/** A clock that stands still until the test moves it. */
export class FakeClock implements Clock {
  #now = 0
  #ticks = new Set<() => void>()
  now() {
    return this.#now
  }
  every(_ms: number, tick: () => void) {
    this.#ticks.add(tick)
    return { cancel: () => this.#ticks.delete(tick) }
  }
  advance(ms: number) {
    this.#now += ms
    for (const tick of this.#ticks) tick()
  }
}
