/**
 * What a call, an event and an idle connection cost, in ours and in tRPC's own adapter, with the same router and load.
 *
 *   npm run build && node dist/test/bench/socket.js [calls=40000] [events=400]
 *
 * Each adapter is a process of its own and the load comes from this one. The costs are CPU time of the server's process;
 * on a busy machine only the ratios mean anything.
 */
import { fork } from 'node:child_process'
import { on, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { initTRPC, tracked } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import superjson from 'superjson'
import { WebSocket, WebSocketServer } from 'ws'
import { createSocketServer } from '../../server/socket/server.ts'

const adapters = ['stock', 'ours'] as const
// ---- the server

interface Message {
  id: string
  text: string
  sentAt: Date
}

/** A queue that one subscription reads. */
class Feed implements AsyncIterableIterator<unknown> {
  #queue: unknown[] = []
  #waiting: ((next: IteratorResult<unknown>) => void) | undefined
  push(value: unknown) {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) waiting({ done: false, value })
    else this.#queue.push(value)
  }
  next(): Promise<IteratorResult<unknown>> {
    if (this.#queue.length > 0) return Promise.resolve({ done: false, value: this.#queue.shift() })
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }
  async return(): Promise<IteratorResult<unknown>> {
    this.#waiting?.({ done: true, value: undefined })
    return { done: true, value: undefined }
  }
  [Symbol.asyncIterator]() {
    return this
  }
}

function router() {
  const t = initTRPC.create({ transformer: superjson })
  const feeds = new Set<Feed>()
  let sent = 0
  return t.router({
    send: t.procedure
      .input((value: unknown) => value as { text: string })
      .mutation(({ input }): Message => ({ id: String(++sent), text: input.text, sentAt: new Date() })),
    publish: t.procedure
      .input((value: unknown) => value as { text: string })
      .mutation(({ input }) => {
        const message: Message = { id: String(++sent), text: input.text, sentAt: new Date() }
        for (const feed of feeds) feed.push(tracked(message.id, message))
      }),
    feed: t.procedure.subscription(async function* ({ signal }) {
      const feed = new Feed()
      feeds.add(feed)
      signal?.addEventListener('abort', () => feeds.delete(feed))
      yield* feed
    }),
  })
}

async function serve(which: 'stock' | 'ours') {
  const http = createServer()
  if (which === 'stock') applyWSSHandler({ wss: new WebSocketServer({ server: http }), router: router() })
  else {
    const socket = createSocketServer({
      router: router(),
      createContext: ({ connection }) => {
        connection.identify(connection.id)
        return {}
      },
      path: '/trpc',
      limits: { socketsPerAddress: 10_000 },
      allowHost: () => true,
      allowOrigin: () => true,
      clientAddress: () => 'bench',
      siteOf: () => null,
      log: { info() {}, warn() {} },
    })
    http.on('upgrade', socket.handleUpgrade)
  }
  http.listen(0, '127.0.0.1', () => process.send!((http.address() as AddressInfo).port))
  process.on('message', () => {
    global.gc?.()
    const { heapUsed, external, rss } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    process.send!({ cpu: user + system, bytes: heapUsed + external, rss })
  })
  process.on('disconnect', () => process.exit())
}

// ---- the load

async function start(which: string) {
  const child = fork(process.argv[1]!, [which], { execArgv: ['--expose-gc', ...process.execArgv] })
  const [port] = await once(child, 'message')
  const usage = async (): Promise<{ cpu: number; bytes: number; rss: number }> => {
    child.send('usage')
    const [answer] = await once(child, 'message')
    return answer
  }
  return { url: `ws://127.0.0.1:${port}/trpc`, usage, stop: () => child.disconnect() }
}

async function open(url: string, count: number): Promise<WebSocket[]> {
  const sockets = Array.from({ length: count }, () => new WebSocket(url, { perMessageDeflate: false }))
  await Promise.all(sockets.map((socket) => once(socket, 'open')))
  return sockets
}

const call = (id: number, method: string, path: string, text?: string) =>
  JSON.stringify({ id, method, params: { path, input: { json: text === undefined ? null : { text } } } })
const text = 'Bring the blue folder, please, and tell Ada that the train is late again. '.repeat(2)

/** Every socket keeps eight calls under way. */
async function calls(url: string, count: number) {
  const sockets = await open(url, 50)
  let left = count
  await new Promise<void>((resolve) => {
    let answered = 0
    for (const socket of sockets) {
      socket.on('message', () => {
        if (left-- > 0) socket.send(call(left, 'mutation', 'send', text))
        if (++answered === count) resolve()
      })
      for (let n = 0; n < 8; n++) if (left-- > 0) socket.send(call(left, 'mutation', 'send', text))
    }
  })
  for (const socket of sockets) socket.terminate()
}

/** Events go to 200 subscriptions, at most 8 events under way. */
async function fanOut(url: string, events: number) {
  const sockets = await open(url, 200)
  const [publisher] = await open(url, 1)
  await Promise.all(
    sockets.map((socket) => {
      socket.send(call(1, 'subscription', 'feed'))
      return once(socket, 'message')
    }),
  )
  let published = 0
  let received = 0
  const publish = () => published++ < events && publisher!.send(call(published, 'mutation', 'publish', text))
  await new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.on('message', () => {
        if (++received % sockets.length === 0) publish()
        if (received === sockets.length * events) resolve()
      })
    }
    for (let n = 0; n < 8; n++) publish()
  })
  for (const socket of [...sockets, publisher!]) socket.terminate()
}

async function idle(url: string, count: number) {
  const sockets = await open(url, count)
  await Promise.all(
    sockets.map(async (socket) => {
      socket.send(`[${call(1, 'subscription', 'feed')},${call(2, 'subscription', 'feed')}]`)
      let started = 0
      for await (const _ of on(socket, 'message')) if (++started === 2) break
    }),
  )
}

async function compare(callCount: number, events: number) {
  const deliveries = events * 200
  const idleCount = 1_000
  for (let round = 1; round <= 2; round++) {
    const rows: Record<string, Record<string, string>> = {}
    const costs: Record<string, number[]> = {}
    for (const which of adapters) {
      const server = await start(which)
      await calls(server.url, 2_000) // warm
      const zero = await server.usage()
      let at = performance.now()
      await calls(server.url, callCount)
      const callsMs = performance.now() - at
      const afterCalls = await server.usage()
      at = performance.now()
      await fanOut(server.url, events)
      const fanOutMs = performance.now() - at
      const afterFanOut = await server.usage()
      const before = await server.usage()
      await idle(server.url, idleCount)
      const after = await server.usage()
      server.stop()
      costs[which] = [
        (afterCalls.cpu - zero.cpu) / callCount,
        (afterFanOut.cpu - afterCalls.cpu) / deliveries,
        (after.bytes - before.bytes) / idleCount / 1024,
      ]
      rows[which] = {
        'us CPU/call': costs[which]![0]!.toFixed(1),
        'calls/s': (callCount / (callsMs / 1000)).toFixed(0),
        'us CPU/delivery': costs[which]![1]!.toFixed(2),
        'deliveries/s': (deliveries / (fanOutMs / 1000)).toFixed(0),
        'KiB/idle connection, 2 subscriptions': costs[which]![2]!.toFixed(1),
      }
    }
    const ratio = (index: number) => `1 : ${(costs.stock![index]! / costs.ours![index]!).toFixed(1)}`
    rows['ours : stock'] = {
      'us CPU/call': ratio(0),
      'us CPU/delivery': ratio(1),
      'KiB/idle connection, 2 subscriptions': ratio(2),
    }
    process.stdout.write(`round ${round}\n${JSON.stringify(rows, undefined, 2)}\n`)
  }
  process.exit(0)
}

const [adapter] = process.argv.slice(2)
if (adapter === 'stock' || adapter === 'ours') await serve(adapter)
else await compare(Number(process.argv[2] ?? 40_000), Number(process.argv[3] ?? 400))
