/** Longer waits are made of turns of so long, and whatever has come in is taken between two of them. */
const turnMs = 10

/**
 * Lets the timers of this process run so many times as fast, for as long as the scope lasts. Time-outs, back-off and
 * heartbeats of client and server keep their proportions, and none of them needs a setting for tests. While the process
 * gets no processor, its time stands still: on a busy machine nobody is taken for dead.
 * @param realMs timers of exactly so long keep the real time, such as those that wait for a disk, which is no faster here
 */
export const speedUp = (times: number, realMs?: number): Disposable => {
  const { setTimeout, setInterval } = globalThis
  const fasterTimeout = (run: (...values: unknown[]) => void, ms = 0, ...values: unknown[]) => {
    let leftMs = ms === realMs ? ms : ms / times
    const onTurn = () => {
      leftMs -= turnMs
      if (leftMs > 0) timer.refresh()
      else run(...values)
    }
    const timer = setTimeout(onTurn, Math.min(leftMs, turnMs))
    return timer
  }
  const fasterInterval = (run: () => void, ms = 0) => setInterval(run, ms / times)
  Object.assign(globalThis, { setTimeout: fasterTimeout, setInterval: fasterInterval })
  return {
    [Symbol.dispose]() {
      Object.assign(globalThis, { setTimeout, setInterval })
    },
  }
}
