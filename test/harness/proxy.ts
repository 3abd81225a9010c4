import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { resetSocket } from './reset-socket.ts'

/** What becomes of WebSockets on the way. */
export type WebSockets =
  | 'pass'
  /** The upgrade is answered with 403. */
  | 'refused'
  /** The upgrade is never answered. */
  | 'unanswered'
  /** They open, and no frame gets through. */
  | 'swallowed'
  /** They open, and are reset with the first frame. */
  | 'reset'

export interface BlockingProxy extends AsyncDisposable {
  url: string
  /** May be changed at any time; it holds for those that open from then on. */
  webSockets: WebSockets
  /** Upgrades that were asked for. */
  upgrades: number
  /** Plain requests, as `POST /trpc/me?batch=1`, in their order ... */
  requests: string[]
  /** ... and those that are still open. */
  open: Set<string>
  /** Answers the next so many requests in the server's place. */
  answer(count: number, status: number): void
}

/** A proxy as companies have them: plain HTTP passes, streams too; WebSockets may not. */
export const startProxy = async (target: string, webSockets: WebSockets): Promise<BlockingProxy> => {
  const { port } = new URL(target)
  const sockets = new Set<Socket>()
  let answers = { left: 0, status: 0 }

  const forward = (req: IncomingMessage, res: ServerResponse) => {
    const line = `${req.method} ${req.url}`
    proxy.requests.push(line)
    proxy.open.add(line)
    if (answers.left-- > 0) {
      req.resume()
      return void res.writeHead(answers.status).end('<html>')
    }
    const { method, url, headers } = req
    const upstream = request({ host: '127.0.0.1', port, method, path: url, headers, agent: false }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      res.flushHeaders()
      answer.pipe(res)
      answer.on('error', () => res.destroy())
      answer.on('close', () => answer.complete || res.destroy())
    })
    upstream.on('error', () => res.destroy())
    res.on('close', () => {
      proxy.open.delete(line)
      upstream.destroy()
    })
    req.pipe(upstream)
  }

  const upgrade = (req: IncomingMessage, socket: Socket, head: Buffer) => {
    proxy.upgrades++
    const { webSockets } = proxy
    socket.on('error', () => {})
    if (webSockets === 'refused') return void socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
    if (webSockets === 'unanswered') return
    const upstream = connect(Number(port), '127.0.0.1')
    upstream.on('error', () => {})
    upstream.on('close', () => socket.destroy())
    socket.on('close', () => upstream.destroy())
    const lines = req.rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`))
    upstream.write(`GET ${req.url} HTTP/1.1\r\n${lines.join('')}\r\n`)
    upstream.write(head)
    upstream.pipe(socket)
    if (webSockets === 'pass') socket.pipe(upstream)
    else socket.on('data', () => webSockets === 'reset' && resetSocket(socket))
  }

  const server = createServer(forward).on('upgrade', upgrade)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const proxy: BlockingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    webSockets,
    upgrades: 0,
    requests: [],
    open: new Set(),
    answer(count, status) {
      answers = { left: count, status }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}
