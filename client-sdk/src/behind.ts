import type { StateOwner } from './state.ts'

/** Which loops have not got all yet that was missed, and whether the state says so. */
export const createBehind = (state: StateOwner) => {
  const loops = new Set<object>()
  const tell = () => {
    const { status } = state.get()
    if (status === 'live' && loops.size > 0) state.enter({ status: 'catchingUp' })
    if (status === 'catchingUp' && loops.size === 0) state.enter({ status: 'live' })
  }
  return {
    isAny: () => loops.size > 0,
    add(loop: object) {
      loops.add(loop)
      tell()
    },
    delete(loop: object) {
      loops.delete(loop)
      tell()
    },
  }
}
export type Behind = ReturnType<typeof createBehind>
