import type { Bucket } from './bucket.ts'

/** Somebody who waits, with the buckets that have to have credit. */
export interface Waiter {
  readonly own: Bucket
  readonly address: Bucket
  readonly user: { bucket: Bucket } | null
}

/** Whoever used less than this of late is served before the others at her address, in milliseconds a second. */
export const lightMs = 50

/** Those who wait, by their addresses: hundreds may wait at each, and are not all looked at for each that goes on. */
export const createWaiting = <Guest extends Waiter>() => {
  const addresses = new Map<Bucket, { light: Set<Guest>; heavy: Set<Guest> }>()

  const remove = (guest: Guest): void => {
    const there = addresses.get(guest.address)
    if (!there) return
    there.light.delete(guest)
    there.heavy.delete(guest)
    if (there.light.size + there.heavy.size === 0) addresses.delete(guest.address)
  }
  const firstOf = (guests: Set<Guest>, now: number): Guest | null => {
    for (const guest of guests) {
      if (guest.own.hasCredit(now) && (guest.user === null || guest.user.bucket.hasCredit(now))) return guest
    }
    return null
  }

  return {
    isEmpty: () => addresses.size === 0,
    has(guest: Guest): boolean {
      const there = addresses.get(guest.address)
      return there !== undefined && (there.light.has(guest) || there.heavy.has(guest))
    },
    add(guest: Guest, now: number): void {
      const there = addresses.get(guest.address) ?? { light: new Set(), heavy: new Set() }
      addresses.set(guest.address, there)
      if (guest.own.lately(now) < lightMs) there.light.add(guest)
      else there.heavy.add(guest)
    },
    remove,
    /** One at the address that used least of late; null: nobody may go on now. */
    take(now: number): Guest | null {
      let next: Guest | null = null
      for (const [address, { light, heavy }] of addresses) {
        if (!address.hasCredit(now) || (next !== null && address.lately(now) >= next.address.lately(now))) continue
        next = firstOf(light, now) ?? firstOf(heavy, now) ?? next
      }
      if (next === null) return null
      // Addresses that used as much as one another take turns.
      const there = addresses.get(next.address)!
      remove(next)
      if (addresses.delete(next.address)) addresses.set(next.address, there)
      return next
    },
  }
}
