/** Time, from outside, so that tests can hold it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  setTimeout(run: () => void, ms: number): Timer
}
export interface Timer {
  cancel(): void
}
