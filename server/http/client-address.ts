import type { IncomingMessage } from 'node:http'
import proxyAddress from '@fastify/proxy-addr'
import ipaddr from 'ipaddr.js'

/**
 * Whom limits count by: the address of the peer, or the one that a trusted proxy names.
 * @param trustedProxies addresses or subnets whose `X-Forwarded-For` is believed
 */
export const createClientAddress = (trustedProxies: string[]) => {
  const trust = proxyAddress.compile(trustedProxies)
  return (req: IncomingMessage): string => networkOf(proxyAddress(req, trust))
}

/** An address; of IPv6 only the network, since one subscriber has 2^64 addresses. */
export const networkOf = (text: string): string => {
  if (!ipaddr.isValid(text)) return text
  const address = ipaddr.process(text)
  if (address.kind() === 'ipv4') return address.toString()
  const network = (address as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16))
  return `${network.join(':')}::/64`
}
