import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

const isWebSocket = ({ headers }: IncomingMessage): boolean => /^websocket$/i.test(headers.upgrade ?? '')

/**
 * Which upgrades the server leaves to its listener. Node knows this option from 22.21 and 24.9 on, and on 26 it must have it,
 * since there an upgrade's body does not come to the listener; without it `serveUpgrades` sees to the others.
 */
export const upgradeOptions: object = { shouldUpgradeCallback: isWebSocket }

type HandleUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => void

/**
 * Hands on the upgrades to WebSocket. Any other wish is passed over, as HTTP allows: Java's client and `curl --http2` ask
 * each server at first whether it speaks HTTP/2, and want the answer in HTTP/1.1 if it does not.
 */
export const serveUpgrades = (server: Server, handleUpgrade: HandleUpgrade): void => {
  server.on('upgrade', (req, socket, head) => {
    if (isWebSocket(req)) return handleUpgrade(req, socket, head)
    // Node leaves such a request to whoever listens for upgrades; without the wish it is read once more.
    socket.unshift(Buffer.concat([Buffer.from(withoutWish(req), 'latin1'), head]))
    server.emit('connection', socket)
  })
}

const wish = ['upgrade', 'connection', 'http2-settings']

const withoutWish = ({ method, url, httpVersion, rawHeaders, headers }: IncomingMessage): string => {
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!wish.includes(String(rawHeaders[i]).toLowerCase())) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`)
  }
  if (/\bclose\b/i.test(headers.connection ?? '')) lines.push('Connection: close')
  return `${lines.join('\r\n')}\r\n\r\n`
}
