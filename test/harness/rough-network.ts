import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { resetSocket } from './reset-socket.ts'

/** How one direction of all connections of a client is. */
export interface Way {
  /** Nothing arrives, and nobody is told. What is said waits, also for whoever has given up by then. */
  isHeld: boolean
  /** What travels does so in pieces of at most so many bytes, one after the other, ... */
  pieceBytes: number
  /** ... each of which takes so long, ... */
  pieceMs: number
  /** ... and at random up to so much longer. */
  jitterMs: number
}
export const smooth: Way = { isHeld: false, pieceBytes: 64 * 1024, pieceMs: 0, jitterMs: 0 }

/** So many bytes a second, as a modem has them. */
export const trickling = (bytesPerSecond: number): Way => {
  const pieceBytes = 128
  return { isHeld: false, pieceBytes, pieceMs: (pieceBytes / bytesPerSecond) * 1_000, jitterMs: 0 }
}

export interface Weather {
  /** From the client to the server. */
  up: Way
  down: Way
  /** Connections are reset at once. */
  isCut: boolean
}
export const fair: Weather = { up: smooth, down: smooth, isCut: false }

/** A network between one client and the server that does whatever TCP allows. */
export interface RoughNetwork extends AsyncDisposable {
  url: string
  become(weather: Weather): void
  /** Resets what is open, on both sides. */
  kick(): void
  /** The client loses what is open. The server is not told: it has those beside the next, and what was on its way comes in late. */
  orphan(): void
  /** Fair weather, and the server is told of all that was left. */
  heal(): void
}

/** @param target where the server is now; null: nowhere, and who connects is refused */
export const startRoughNetwork = async (target: () => string | null): Promise<RoughNetwork> => {
  const links = new Set<Link>()
  let weather = fair

  const server = createServer((client) => {
    const url = target()
    if (weather.isCut || url === null) return void resetSocket(client)
    const link = createLink(client, connect(Number(new URL(url).port), '127.0.0.1'), {
      weather: () => weather,
      onEnd: () => links.delete(link),
    })
    links.add(link)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const become = (next: Weather) => {
    weather = next
    for (const link of links) {
      if (weather.isCut) link.reset()
      else link.flow()
    }
  }
  const kick = () => {
    for (const link of links) link.reset()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    become,
    kick,
    orphan() {
      for (const link of links) link.orphan()
    },
    heal() {
      become(fair)
      for (const link of links) link.endOrphan()
    },
    async [Symbol.asyncDispose]() {
      kick()
      server.close()
      await once(server, 'close')
    },
  }
}

type Link = ReturnType<typeof createLink>

/** One connection of the client, and the one to the server that stands behind it. */
const createLink = (client: Socket, upstream: Socket, on: { weather(): Weather; onEnd(): void }) => {
  const up = createLane(upstream, () => on.weather().up)
  const down = createLane(client, () => on.weather().down)
  let isOrphan = false

  for (const [from, lane] of [
    [client, up],
    [upstream, down],
  ] as const) {
    from.setNoDelay(true)
    from.on('error', () => {})
    from.on('data', lane.put)
    from.on('close', () => {
      if (!(isOrphan && from === client)) lane.put(null)
      if (client.destroyed && upstream.destroyed) on.onEnd()
    })
  }
  const reset = () => {
    up.clear()
    down.clear()
    resetSocket(client)
    // One that is still connecting cannot be reset.
    if (upstream.connecting) upstream.destroy()
    else resetSocket(upstream)
  }
  return {
    flow() {
      up.flow()
      down.flow()
    },
    reset,
    orphan() {
      isOrphan = true
      resetSocket(client)
    },
    endOrphan() {
      if (isOrphan) up.put(null)
    },
  }
}

/** What is on its way in one direction, its end as the last. */
const createLane = (to: Socket, wayNow: () => Way) => {
  let waiting: (Buffer | null)[] = []
  let isMoving = false

  const flow = () => {
    const way = wayNow()
    if (isMoving || way.isHeld || waiting.length === 0) return
    const ms = way.pieceMs + Math.random() * way.jitterMs
    if (ms === 0) {
      arrive(way)
      return flow()
    }
    isMoving = true
    setTimeout(() => {
      isMoving = false
      if (!wayNow().isHeld) arrive(way)
      flow()
    }, ms)
  }
  const arrive = ({ pieceBytes }: Way) => {
    const next = waiting.shift()
    if (next === undefined) return
    if (next === null) return void to.destroy()
    if (next.length > pieceBytes) waiting.unshift(next.subarray(pieceBytes))
    if (!to.destroyed) to.write(next.subarray(0, pieceBytes))
  }
  return {
    flow,
    put(piece: Buffer | null) {
      waiting.push(piece)
      flow()
    },
    clear() {
      waiting = []
    },
  }
}
