/** How many of something are open, by whose they are. */
export const createCounts = () => {
  const counts = new Map<string, number>()
  return {
    /** @returns false where there are `max` already */
    add(key: string, max: number): boolean {
      const count = counts.get(key) ?? 0
      if (count < max) counts.set(key, count + 1)
      return count < max
    },
    remove(key: string) {
      const left = (counts.get(key) ?? 0) - 1
      if (left > 0) counts.set(key, left)
      else counts.delete(key)
    },
  }
}
export type Counts = ReturnType<typeof createCounts>
