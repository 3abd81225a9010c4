import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface KnownOrigins {
  /** Where people reach this server. */
  publicUrl: string | null
  /** Pages of elsewhere that may call. */
  allowedOrigins: string[]
}

/**
 * Which pages may call: those of this server itself and those on the list, exactly. Programs send no Origin; they are
 * let in, since nothing here is granted by a cookie that a page could borrow. `null` (a sandboxed page, a file) is not.
 */
export const createOriginGate =
  ({ publicUrl, allowedOrigins }: KnownOrigins, address: () => AddressInfo | null) =>
  ({ headers: { origin } }: IncomingMessage) =>
    origin === undefined ||
    origin === publicUrl ||
    allowedOrigins.includes(origin) ||
    ownOrigins(address()).includes(origin)

const ownOrigins = (address: AddressInfo | null): string[] =>
  address ? ['127.0.0.1', 'localhost', '[::1]'].map((host) => `http://${host}:${address.port}`) : []
