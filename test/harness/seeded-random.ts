/** Numbers that look random and are the same for the same seed (mulberry32). */
export const seededRandom = (seed: number) => {
  let state = seed
  /** 0 up to, not including, `below`. */
  const whole = (below: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * below)
  }
  return { whole, oneOf: <T>(list: readonly T[]): T => list[whole(list.length)]! }
}
export type Random = ReturnType<typeof seededRandom>

/** How much the random tests do: more by command, so that the suite stays fast. */
export const randomOperations = Number(process.env.PARLEY_RANDOM_OPERATIONS ?? 400)
/** Another seed finds other things; a failure names the one that it was found with. */
export const randomSeed = Number(process.env.PARLEY_RANDOM_SEED ?? 1)
