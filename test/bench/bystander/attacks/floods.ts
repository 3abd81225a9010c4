import type { Attack } from '../attack.ts'
import { filled, flood, keepOpen, type Open, openTcp } from './connections.ts'
import { anonymous, frame, requests } from './web-socket.ts'

const sockets = 100
/** Below what the server takes for one message. */
const fragmentsPerMessage = 100

/** Something short at full speed. */
const floodOf = (open: Open, bytes: (host: string) => Buffer): Attack => ({
  async run(attacker) {
    const piece = filled(bytes(attacker.url.host))
    await keepOpen(attacker, sockets, open, (socket) => flood(socket, piece))
    return undefined
  },
})

export const junk = floodOf(anonymous, () => frame('text', 'junk'))

/** Calls whose input does not fit. */
export const invalid = floodOf(anonymous, () =>
  requests([{ id: 1, method: 'mutation', path: 'sendMessage', input: { to: 7, text: '', other: [] } }]),
)

export const pongs = floodOf(anonymous, () => frame('pong'))

export const binary = floodOf(anonymous, () => frame('binary', 'junk'))

/** Messages of many fragments, of one byte each. */
export const fragments = floodOf(anonymous, () =>
  Buffer.concat(
    Array.from({ length: fragmentsPerMessage }, (_, i) =>
      frame(i === 0 ? 'text' : 'continuation', 'x', i === fragmentsPerMessage - 1),
    ),
  ),
)

/** Requests over HTTP that wait for no answer. */
export const pipelined = floodOf(openTcp, (host) => Buffer.from(`GET /trpc/nothing HTTP/1.1\r\nHost: ${host}\r\n\r\n`))
