import { once, setMaxListeners } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Attacker } from '../attack.ts'

/** What a server has cut comes back this often, all connections of an attacker together. */
const reconnectsPerSecond = 30

export type Open = (attacker: Attacker, index: number) => Promise<Socket>

/** TCP, as a bare socket: whoever attacks spends as little as possible. What comes is thrown away; the signal closes it. */
export const openTcp: Open = async ({ url, address, signal }) => {
  const options = { host: url.hostname, port: Number(url.port), localAddress: address, noDelay: true, signal }
  const socket = connect(options)
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.resume()
  return socket
}

/**
 * Keeps so many connections open, and uses each one that is opened, until the attack ends.
 * @param use begins what the connection is for; it must stop when the connection closes
 */
export const keepOpen = async (
  attacker: Attacker,
  count: number,
  open: Open,
  use: (socket: Socket, index: number) => void,
): Promise<void> => {
  const { signal, traffic } = attacker
  let nextAt = 0
  const turnToReconnect = async () => {
    nextAt = Math.max(nextAt, performance.now()) + 1_000 / reconnectsPerSecond
    await sleep(nextAt - performance.now(), undefined, { signal }).catch(() => {})
  }
  const keepOne = async (index: number) => {
    while (!signal.aborted) {
      const socket = await open(attacker, index).catch(() => null)
      if (socket === null) {
        if (!signal.aborted) traffic.refused++
      } else {
        use(socket, index)
        await closed(socket)
        traffic.read += socket.bytesRead
        traffic.written += socket.bytesWritten
        if (!signal.aborted) traffic.cut++
      }
      await turnToReconnect()
    }
  }
  setMaxListeners(0, signal)
  await Promise.all(Array.from({ length: count }, (_, index) => keepOne(index)))
}

/** Also after an error, on which `once` would reject. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })

/** Repeats what is short until it fills the piece that node reads at once. */
export const filled = (bytes: Buffer): Buffer => Buffer.concat(Array(Math.ceil(65_536 / bytes.length)).fill(bytes))

/** As fast as TCP takes it: no more than one piece waits. */
export const flood = (socket: Socket, piece: Buffer): void => {
  const write = () => {
    if (socket.writable) socket.write(piece)
  }
  // In a turn of its own, lest one socket leave none to the others.
  socket.on('drain', () => setImmediate(write))
  write()
}

/** Again and again; not while the server takes nothing. */
export const every = (socket: Socket, ms: number, bytes: () => Buffer): void => {
  if (socket.destroyed) return
  const timer = setInterval(() => {
    if (socket.writable && !socket.writableNeedDrain) socket.write(bytes())
  }, ms)
  socket.once('close', () => clearInterval(timer))
}
