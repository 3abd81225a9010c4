import { createHash } from 'node:crypto'
import type { UserId } from '../contract/index.ts'
import type { Ports } from './ports.ts'

/** Three lives of a session, so that somebody who signs in once a month stays known. */
const knownMs = 90 * 24 * 3_600_000
/** Of one user: more than the places that a person signs in from, and few enough to store for everybody. */
const knownMax = 50

/**
 * An address is personal data, so the store does not hold it in plain text. The hash is not a secret: whoever has the
 * store can try all addresses of IPv4.
 */
const hashOf = (userId: UserId, network: string): string =>
  createHash('sha256').update(`${userId} ${network}`).digest('base64url')

/** @param network an address, or the /64 of IPv6 */
export const rememberNetwork = ({ store, clock }: Ports, userId: UserId, network: string): Promise<void> =>
  store.rememberNetwork({ userId, networkHash: hashOf(userId, network), seenAt: new Date(clock.now()) }, knownMax)

/** Whether this user has signed in from there within 90 days. Of a user that does not exist: no, by the same read. */
export const isKnownNetwork = async ({ store, clock }: Ports, userId: UserId, network: string): Promise<boolean> => {
  const seenAt = await store.networkSeenAt(userId, hashOf(userId, network))
  return seenAt !== null && seenAt.getTime() >= clock.now() - knownMs
}

export const forgetOldNetworks = ({ store, clock }: Ports): Promise<number> =>
  store.deleteNetworksSeenBefore(new Date(clock.now() - knownMs))
