import type { IncomingMessage } from 'node:http'
import proxyAddress from '@fastify/proxy-addr'
import ipaddr from 'ipaddr.js'

/**
 * Whom limits count by: the address of the peer, or the one that a trusted proxy names.
 * @param trustedProxies addresses or subnets whose `X-Forwarded-For` is believed
 */
export const createClientAddress = (trustedProxies: string[]) => {
  const isTrusted = proxyAddress.compile(trustedProxies)
  return ({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): string => {
    let client = socket.remoteAddress ?? ''
    // Each proxy adds whom it speaks for at the end. One that names nobody is counted itself: never a text that the
    // client can choose, or that changes with its port.
    for (const hop of hopsOf(headers).reverse()) {
      const named = isAddress(client) && isTrusted(client, 0) ? addressIn(hop) : null
      if (named === null) break
      client = named
    }
    return networkOf(client)
  }
}

const hopsOf = (headers: IncomingMessage['headers']): string[] =>
  String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((hop) => hop.trim())
    .filter((hop) => hop !== '')

const isAddress = (text: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)

/** `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]:443`, quoted or not, with a zone or not. Null: it is none. */
const addressIn = (hop: string): string | null => {
  const text = hop.replace(/^"(.*)"$/, '$1')
  const host = /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([^:]+):\d+$/.exec(text)?.[1] ?? text
  const address = host.replace(/%.*$/, '')
  return isAddress(address) ? address : null
}

/** An address; of IPv6 only the network, since one subscriber has 2^64 addresses. */
export const networkOf = (text: string): string => {
  if (!ipaddr.isValid(text)) return text
  const address = ipaddr.process(text)
  if (address.kind() === 'ipv4') return address.toString()
  const network = (address as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16))
  return `${network.join(':')}::/64`
}
