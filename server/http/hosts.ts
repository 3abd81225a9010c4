import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { KnownOrigins } from './origins.ts'

/**
 * Whether a request names this server. A page of elsewhere can have its own name lead to this address (DNS rebinding), and
 * would be of the same origin to a browser. Nobody can do so with an address or with `localhost`, which name what they are;
 * other names are known from the settings, with any port.
 */
export const createHostGate = ({ publicUrl, allowedOrigins }: KnownOrigins) => {
  const names = new Set([publicUrl, ...allowedOrigins].flatMap((origin) => (origin ? [new URL(origin).hostname] : [])))
  return ({ headers }: Pick<IncomingMessage, 'headers'>): boolean => {
    const { host } = headers
    // No browser leaves it out; what looks after servers does.
    if (host === undefined) return true
    const name = hostnameOf(host)
    return name !== null && (names.has(name) || isItself(name))
  }
}
export type HostGate = ReturnType<typeof createHostGate>

const isItself = (name: string): boolean =>
  isIP(name.replace(/^\[(.*)\]$/, '$1')) > 0 || name === 'localhost' || name.endsWith('.localhost')

/** In lower case and without a last dot; null: it names no host. */
export const hostnameOf = (host: string): string | null =>
  URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname.replace(/\.$/, '') : null
