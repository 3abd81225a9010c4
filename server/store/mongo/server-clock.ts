import type { Connection } from 'mongoose'
import { hello } from './connect.ts'
import { clockDifferenceMaxMs } from './limits.ts'

const samples = 4

/** How far this node's clock is ahead of the database's, in milliseconds; negative: behind. As far as it can be known. */
const differenceMs = async (connection: Connection, now: () => number): Promise<number> => {
  let best = { difference: 0, roundTrip: Number.POSITIVE_INFINITY }
  for (let i = 0; i < samples; i++) {
    const before = now()
    const { localTime } = await hello(connection)
    const roundTrip = now() - before
    if (localTime && roundTrip < best.roundTrip)
      best = { difference: before + roundTrip / 2 - localTime.getTime(), roundTrip }
  }
  // The answer may have been given at any moment in between.
  return Math.sign(best.difference) * Math.max(0, Math.abs(best.difference) - best.roundTrip / 2)
}

/** @returns what is wrong, in plain words, or null */
export const clockFault = async (connection: Connection, now: () => number): Promise<string | null> => {
  const difference = await differenceMs(connection, now)
  if (Math.abs(difference) <= clockDifferenceMaxMs) return null
  const seconds = (Math.abs(difference) / 1_000).toFixed(1)
  return (
    `The clock of this machine is ${seconds} s ${difference > 0 ? 'ahead of' : 'behind'} the database's; ` +
    `at most ${clockDifferenceMaxMs / 1_000} s are allowed. Let both machines take their time from a time server (NTP).`
  )
}
