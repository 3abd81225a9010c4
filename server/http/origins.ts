import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * Which pages may call: those of this server itself and those on the list, exactly. Programs send no Origin; they are
 * let in, since nothing here is granted by a cookie that a page could borrow. `null` (a sandboxed page, a file) is not.
 */
export const createOriginGate = (allowed: string[], address: () => AddressInfo | null) => (req: IncomingMessage) => {
  const { origin } = req.headers
  return origin === undefined || allowed.includes(origin) || ownOrigins(address()).includes(origin)
}

const ownOrigins = (address: AddressInfo | null): string[] =>
  address ? ['127.0.0.1', 'localhost', '[::1]'].map((host) => `http://${host}:${address.port}`) : []
