/** Lets `Date.now()` of this process jump, as where somebody sets the machine's clock, for as long as the scope lasts. */
export const jumpingClock = () => {
  const { now } = Date
  let offsetMs = 0
  let wasSet = false
  Date.now = () => now() + offsetMs
  return {
    /** @param ms off the real time */
    set(ms: number) {
      offsetMs = ms
      wasSet ||= ms !== 0
    },
    wasSet: () => wasSet,
    [Symbol.dispose]() {
      Date.now = now
    },
  }
}
export type JumpingClock = ReturnType<typeof jumpingClock>
