import type { Socket } from 'node:net'
import type { Attack } from '../attack.ts'
import { every, keepOpen, type Open, openTcp } from './connections.ts'
import { anonymous as anonymousSocket, frame, requests } from './web-socket.ts'

/** As many as one address may have, none of them signed in. */
const sockets = 200
const everyMs = 250
const batch = 20

const fromStrangers = (open: Open, bytes: (host: string) => Buffer): Attack => ({
  async run(attacker) {
    const sent = bytes(attacker.url.host)
    await keepOpen(attacker, sockets, open, (socket: Socket) => every(socket, everyMs, () => sent))
    return undefined
  },
})

/** Batches of what is no request. */
export const malformed = fromStrangers(anonymousSocket, () => frame('text', JSON.stringify(Array(batch).fill(1))))

/** Batches of calls that only somebody who is signed in may make. */
export const anonymous = fromStrangers(anonymousSocket, () =>
  requests(Array.from({ length: batch }, (_, id) => ({ id, method: 'query', path: 'me' }))),
)

/** The same over HTTP. */
export const anonymousHttp = fromStrangers(openTcp, (host) =>
  Buffer.from(`GET /trpc/${Array(batch).fill('me').join(',')}?batch=1 HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
)
