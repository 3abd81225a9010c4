import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Network extends AsyncDisposable {
  url: string
  /** Resets what is open; new connections are reset too, until `restore`. */
  cut(): void
  restore(): void
  /** Resets what is open; new connections pass. */
  kick(): void
}

/** A network between one client and the server, to be cut. */
export const startNetwork = async (target: string): Promise<Network> => {
  const { port } = new URL(target)
  const open = new Set<Socket>()
  let isCut = false

  const server = createServer((client) => {
    if (isCut) return void client.resetAndDestroy()
    const upstream = connect(Number(port), '127.0.0.1')
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
    for (const socket of open) socket.resetAndDestroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true
      kick()
    },
    restore() {
      isCut = false
    },
    kick,
    async [Symbol.asyncDispose]() {
      kick()
      server.close()
      await once(server, 'close')
    },
  }
}
