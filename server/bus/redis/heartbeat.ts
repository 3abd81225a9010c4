import type { Clock, Timer } from '../../domain/ports.ts'

/** Calls `onBeat` every `beatMs`, and says by how much the beat was late, or (below 0) early since the clock was set. */
export const createHeartbeat = (clock: Clock, beatMs: number, onBeat: (offMs: number) => void) => {
  let expectedAt = 0
  let timer: Timer | undefined

  const schedule = () => {
    expectedAt = clock.now() + beatMs
    timer = clock.setTimeout(beat, beatMs)
  }
  const beat = () => {
    onBeat(clock.now() - expectedAt)
    schedule()
  }

  return { start: schedule, stop: () => timer?.cancel() }
}
