import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'

/** A network before a server whose packets can be held up. They arrive late, but they arrive: also those of a client that left. */
export interface HeldNetwork extends AsyncDisposable {
  port: number
  /** From the first packet on that holds this text, what clients send waits on its way. @returns once there was one */
  holdFrom(text: string): Promise<void>
  /** Packets that hold this text wait, each until it is delivered, while all others pass. They are given as they come. */
  holdEach(text: string): AsyncIterator<HeldPacket, never>
  /** It arrives, in order, and so does what comes next. */
  deliver(): void
  /** Resets what is open and refuses what is new, until `restore`. */
  cut(): void
  restore(): void
}

export interface HeldPacket {
  /** @returns once the server has answered */
  deliver(): Promise<void>
}

export const startHeldNetwork = async (serverPort: number): Promise<HeldNetwork> => {
  const lines = new Set<{ client: Socket; upstream: Socket; waiting: Buffer[]; left: boolean }>()
  let isHeld = false
  let awaited: { text: string; resolve: () => void } | null = null
  let each: { text: string; held: PassThrough } | null = null
  let isCut = false

  const server = createServer((client) => {
    if (isCut) return void client.resetAndDestroy()
    const upstream = connect(serverPort, '127.0.0.1')
    const line = { client, upstream, waiting: [] as Buffer[], left: false }
    lines.add(line)
    client.on('error', () => {})
    upstream.on('error', () => {})
    client.on('data', (data: Buffer) => {
      if (awaited && data.includes(awaited.text)) {
        isHeld = true
        awaited.resolve()
        awaited = null
      }
      if (each && data.includes(each.text)) {
        const deliver = async () => {
          const answer = once(upstream, 'data')
          upstream.write(data)
          await answer
        }
        each.held.write({ deliver })
      } else if (isHeld) line.waiting.push(data)
      else upstream.write(data)
    })
    upstream.pipe(client)
    client.on('close', () => {
      line.left = true
      if (line.waiting.length === 0) upstream.destroy()
    })
    upstream.on('close', () => {
      lines.delete(line)
      client.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const reset = () => {
    for (const { client, upstream } of lines) {
      client.resetAndDestroy()
      upstream.destroy()
    }
  }
  return {
    port: (server.address() as AddressInfo).port,
    holdFrom: (text) =>
      new Promise((resolve) => {
        awaited = { text, resolve }
      }),
    holdEach(text) {
      each = { text, held: new PassThrough({ objectMode: true }) }
      return each.held[Symbol.asyncIterator]() as AsyncIterator<HeldPacket, never>
    },
    deliver() {
      isHeld = false
      for (const { upstream, waiting, left } of lines) {
        for (const data of waiting.splice(0)) upstream.write(data)
        if (left) upstream.end()
      }
    },
    cut() {
      isCut = true
      reset()
    },
    restore() {
      isCut = false
    },
    async [Symbol.asyncDispose]() {
      reset()
      server.close()
      await once(server, 'close')
    },
  }
}
