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
