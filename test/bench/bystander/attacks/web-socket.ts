import { once } from 'node:events'
import { tokenOf } from '../seed.ts'
import { every, type Open, openTcp } from './connections.ts'

export const opcodes = { continuation: 0, text: 1, binary: 2, ping: 9, pong: 10 } as const

const maskKey = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

/** A frame as a client sends it, masked. */
export const frame = (opcode: keyof typeof opcodes, payload: Buffer | string = '', isFinal = true): Buffer => {
  const masked = Buffer.from(payload)
  for (let i = 0; i < masked.length; i++) masked[i] = (masked[i] as number) ^ (maskKey[i % 4] as number)
  const { length } = masked
  const first = opcodes[opcode] | (isFinal ? 0x80 : 0)
  const head = length < 126 ? [first, 0x80 | length] : [first, 0x80 | 126, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), maskKey, masked])
}

/** A frame of a request, or of several as a batch. */
export const requests = (all: { id: number; method: string; path: string; input?: unknown }[]): Buffer => {
  const entries = all.map(({ id, method, path, input }) => ({ id, method, params: { path, input: { json: input } } }))
  return frame('text', JSON.stringify(entries.length === 1 ? entries[0] : entries))
}

/** Silence would be cut. Frames of the server are not read, and so its pings not answered. */
const pingMs = 5_000

/** @param userIdOf who signs in on it; null: nobody */
export const webSocket =
  (userIdOf: (index: number) => string | null): Open =>
  async (attacker, index) => {
    const userId = userIdOf(index)
    const socket = await openTcp(attacker, index)
    const path = `/trpc${userId === null ? '' : '?connectionParams=1'}`
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${attacker.url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    const answer = await Promise.race([once(socket, 'data'), once(socket, 'close')])
    if (!String(answer[0]).startsWith('HTTP/1.1 101 ')) {
      socket.destroy()
      throw new Error(`not taken: ${answer[0]}`)
    }
    socket.resume()
    if (userId !== null) {
      const params = { method: 'connectionParams', data: { token: tokenOf(userId) } }
      socket.write(frame('text', JSON.stringify(params)))
    }
    every(socket, pingMs, () => frame('ping'))
    return socket
  }

export const anonymous = webSocket(() => null)
