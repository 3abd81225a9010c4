import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { resetSocket } from './reset-socket.ts'

export interface Network extends AsyncDisposable {
  url: string
  /** How many there have been. */
  readonly connections: number
  /** Resets what is open; new connections are reset too, until `restore`. */
  cut(): void
  restore(): void
  /** Resets what is open; new connections pass. */
  kick(): void
  /** Nothing travels any more, and nobody is told: a dead network. New connections get no answer. */
  freeze(): void
  /** The server hears the client, and is not heard. */
  mute(): void
  /** Says this to the client in the server's place. */
  inject(frame: string): void
}

/** A network between one client and the server, to be cut. */
export const startNetwork = async (target: string): Promise<Network> => {
  const { port } = new URL(target)
  const open = new Set<Socket>()
  const clients = new Set<Socket>()
  const pairs = new Map<Socket, Socket>()
  let isCut = false
  let isFrozen = false
  let connections = 0

  const server = createServer((client) => {
    connections++
    if (isCut) return void resetSocket(client)
    clients.add(client)
    client.on('close', () => clients.delete(client))
    if (isFrozen) return void client.on('error', () => {})
    const upstream = connect(Number(port), '127.0.0.1')
    pairs.set(client, upstream)
    client.on('close', () => pairs.delete(client))
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from)
      from.setNoDelay(true)
      from.on('error', () => {})
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const kick = () => {
    for (const socket of [...open, ...clients]) resetSocket(socket)
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections
    },
    cut() {
      isCut = true
      kick()
    },
    restore() {
      isCut = false
    },
    kick,
    freeze() {
      isFrozen = true
      for (const socket of open) socket.unpipe().pause()
    },
    mute() {
      for (const [client, upstream] of pairs) upstream.unpipe(client).resume()
    },
    inject(frame) {
      for (const client of clients) client.write(textFrame(frame))
    },
    async [Symbol.asyncDispose]() {
      kick()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Unmasked, as a server sends it; up to 125 bytes. */
const textFrame = (text: string): Buffer => {
  const payload = Buffer.from(text)
  return Buffer.concat([Buffer.from([0x81, payload.length]), payload])
}
