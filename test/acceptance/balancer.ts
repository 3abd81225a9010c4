import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { resetSocket } from '../harness/reset-socket.ts'

/** What stands before several nodes: each connection goes to one that answers, picked at random. */
export interface Balancer extends AsyncDisposable {
  url: string
  /** @param ports those that serve now */
  serve(ports: number[]): void
  /** Resets this share of the open connections, picked at random. @returns how many */
  cut(share: number): number
}

/** @param random numbers from 0 to 1, so that a run can be repeated */
export const startBalancer = async (random: () => number): Promise<Balancer> => {
  let targets: number[] = []
  const open = new Set<Socket>()

  const join = (client: Socket, candidates: number[]) => {
    const [port, ...others] = candidates
    if (port === undefined) return resetSocket(client)
    const upstream = connect(port, '127.0.0.1')
    upstream.once('error', () => join(client, others))
    upstream.once('connect', () => {
      upstream.removeAllListeners('error')
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        from.setNoDelay(true)
        from.on('error', () => {})
        from.on('close', () => to.destroy())
        from.pipe(to)
      }
    })
  }
  const server = createServer((client) => {
    open.add(client)
    client.on('error', () => {})
    client.on('close', () => open.delete(client))
    const first = Math.floor(random() * targets.length)
    join(client, [...targets.slice(first), ...targets.slice(0, first)])
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve(ports) {
      targets = ports
    },
    cut(share) {
      const chosen = [...open].filter(() => random() < share)
      for (const socket of chosen) resetSocket(socket)
      return chosen.length
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) resetSocket(socket)
      server.close()
      await once(server, 'close')
    },
  }
}
