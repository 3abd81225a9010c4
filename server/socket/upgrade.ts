import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** Splits the target of a request. It never becomes a `URL`: `//` and a bad `Host` make that constructor throw, and
 *  `//elsewhere/trpc` would make it see the path `/trpc`. */
export const splitTarget = (req: IncomingMessage): { path: string; query: URLSearchParams } => {
  const target = req.url ?? ''
  const mark = target.indexOf('?')
  if (mark < 0) return { path: target, query: new URLSearchParams() }
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) }
}

/** Answers an upgrade in plain HTTP, and closes. The socket must have an error listener. */
export const refuseUpgrade = (socket: Duplex, status: number) => {
  const text = `${STATUS_CODES[status]}\n`
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n` +
      'Connection: close\r\n' +
      'Content-Type: text/plain\r\n' +
      `Content-Length: ${text.length}\r\n\r\n${text}`,
  )
}
