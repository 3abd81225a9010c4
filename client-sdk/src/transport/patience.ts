/** At 3 s each: the largest frame, a page of some 100 kB, takes 50 s at 2 kB/s. */
const asksLimit = 32
/** So often in a row a server that is asked once has to answer, for the network to count as quick again. */
const quickTimes = 3

/**
 * How often a silent server is asked for a sign of life before it counts as gone: once, until that was too short on a
 * connection that had worked. One network's, from each connection to the next.
 */
export const createPatience = () => {
  let asksMax = 1
  let quick = 0
  return {
    asksMax: () => asksMax,
    /** A sign of life came after so many questions. */
    answered(asks: number) {
      quick = asks === 1 ? quick + 1 : 0
      if (quick === quickTimes) asksMax = 1
    },
    tooShort() {
      asksMax = Math.min(asksMax * 2, asksLimit)
      quick = 0
    },
    /** It may be another network. */
    reset() {
      asksMax = 1
    },
  }
}
export type Patience = ReturnType<typeof createPatience>
