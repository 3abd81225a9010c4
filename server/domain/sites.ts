import type { RateRule } from './ports.ts'
import type { Limit } from './taken-limits.ts'

/**
 * The /48 around a /64 of IPv6. A provider gives a /48 to whoever asks for more than a home needs (RIPE-690), and with
 * it 65,536 networks. Null: an address of IPv4, of which nobody has as many for nothing.
 */
export const siteOf = (address: string): string | null => {
  const prefix = /^((?:[\da-f]+:){3})[\da-f]+::\/64$/.exec(address)?.[1]
  return prefix === undefined ? null : `${prefix}:/48`
}

/** So many times the share of one address: several networks of an office, or of homes that a provider keeps together. */
export const siteShare = 4

/** By this rule, of an address and of the site that it is in. */
export const limitsOfAddress = (rule: RateRule, address: string): Limit[] => {
  const site = siteOf(address)
  if (site === null) return [[rule, address]]
  const ofSite = { ...rule, burst: siteShare * rule.burst, everyMs: rule.everyMs / siteShare }
  return [
    [rule, address],
    [ofSite, site],
  ]
}
