/** What is kept by name while somebody holds it, and after that until nothing is left to remember. */
export const createHeld = <Kept>(make: () => Kept, mayBeForgotten: (kept: Kept) => boolean) => {
  const known = new Map<string, { kept: Kept; holders: number }>()
  let sweepAt = 1_000
  const forget = () => {
    for (const [name, { kept, holders }] of known) if (holders === 0 && mayBeForgotten(kept)) known.delete(name)
    sweepAt = Math.max(1_000, known.size * 2)
  }
  return {
    hold(name: string): Kept {
      const entry = known.get(name) ?? { kept: make(), holders: 0 }
      entry.holders++
      known.set(name, entry)
      return entry.kept
    },
    letGo(name: string): void {
      const entry = known.get(name)
      if (entry) entry.holders--
      if (known.size > sweepAt) forget()
    },
  }
}
