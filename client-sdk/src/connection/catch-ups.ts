import { isLive, type StateOwner } from './state.ts'

/** Which loops have not got all yet that was missed, and whether the state says so. */
export const createCatchUps = (state: StateOwner) => {
  const loops = new Set<object>()
  const tell = () => {
    const now = state.get()
    const status = loops.size > 0 ? 'catchingUp' : 'live'
    if (isLive(now) && now.status !== status) state.enter({ ...now, status })
  }
  return {
    isAny: () => loops.size > 0,
    begin(loop: object) {
      loops.add(loop)
      tell()
    },
    end(loop: object) {
      loops.delete(loop)
      tell()
    },
  }
}
export type CatchUps = ReturnType<typeof createCatchUps>
