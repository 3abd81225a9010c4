/** What was used of late, in milliseconds a second: what was used a second ago counts for a third, and so on. */
export const createLately = () => {
  let used = 0
  let measuredAt = 0
  const level = (now: number): number => {
    used *= Math.exp((measuredAt - now) / 1_000)
    measuredAt = now
    return used
  }
  return {
    level,
    add(ms: number, now: number): void {
      used = level(now) + ms
    },
  }
}
