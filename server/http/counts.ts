import { siteOf, siteShare } from '../domain/sites.ts'

/** How many of something are open, by whose they are. */
export const createCounts = () => {
  const counts = new Map<string, number>()
  return {
    /** @returns false, and counts nothing, where there would be more than `max` */
    add(key: string, max: number, weight = 1): boolean {
      const count = (counts.get(key) ?? 0) + weight
      if (count <= max) counts.set(key, count)
      return count <= max
    },
    remove(key: string, weight = 1) {
      const left = (counts.get(key) ?? 0) - weight
      if (left > 0) counts.set(key, left)
      else counts.delete(key)
    },
  }
}
export type Counts = ReturnType<typeof createCounts>

/** The same by address. All addresses of a site together may have `siteShare` times the `max` of one. */
export const createAddressCounts = (): Counts => {
  const counts = createCounts()
  return {
    add(address, max, weight) {
      const site = siteOf(address)
      if (!counts.add(address, max, weight)) return false
      if (site === null || counts.add(site, siteShare * max, weight)) return true
      counts.remove(address, weight)
      return false
    },
    remove(address, weight) {
      const site = siteOf(address)
      counts.remove(address, weight)
      if (site !== null) counts.remove(site, weight)
    },
  }
}
