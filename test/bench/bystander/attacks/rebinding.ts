import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { Attack } from '../attack.ts'

/** A page of elsewhere that made its own name lead to this server. */
const headers = { host: 'evil.example', origin: 'http://evil.example' }

const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

export const rebinding: Attack = {
  async run({ url, address }) {
    const status = async (method: string, path: string, more: Record<string, string> = {}, body = '') => {
      const all = { ...headers, ...more }
      const asking = request(new URL(path, url), { method, headers: all, localAddress: address })
      asking.end(body)
      const [answer, socket]: (IncomingMessage | undefined)[] = await Promise.race([
        once(asking, 'response'),
        once(asking, 'upgrade'),
      ])
      socket?.destroy()
      answer?.resume()
      return `${method} ${path} ${more.upgrade ? '(WebSocket) ' : ''}${answer?.statusCode}`
    }
    const account = JSON.stringify({ username: 'mallory', password: 'correct horse battery' })
    const all = [
      await status('POST', '/api/register', { 'content-type': 'application/json' }, account),
      await status('GET', '/'),
      await status('GET', '/trpc', upgrade),
    ]
    return all.join(', ')
  },
}
