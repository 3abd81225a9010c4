import type { IncomingMessage } from 'node:http'
import proxyAddress from '@fastify/proxy-addr'
import ipaddr from 'ipaddr.js'

/**
 * Whom limits count by: the address of the peer, or the one that a trusted proxy names. Of IPv6 only the network, since
 * one subscriber has 2^64 addresses.
 * @param trustedProxies addresses or subnets whose `X-Forwarded-For` is believed
 */
export const createClientAddress = (trustedProxies: string[]) => {
  const trust = proxyAddress.compile(trustedProxies)
  return (req: IncomingMessage): string => {
    const text = proxyAddress(req, trust)
    if (!ipaddr.isValid(text)) return text
    const address = ipaddr.process(text)
    if (address.kind() === 'ipv4') return address.toString()
    return `${(address as ipaddr.IPv6).parts
      .slice(0, 4)
      .map((part) => part.toString(16))
      .join(':')}::/64`
  }
}
