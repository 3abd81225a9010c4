import { randomUUID } from 'node:crypto'
import type { Log } from '../../domain/ports.ts'
import { isDuplicate, unavailable, wordsOf } from './errors.ts'
import type { Models } from './schema.ts'
import { nodesMax } from './versions.ts'

const leaseMs = 60_000
const renewMs = 20_000
/** The number is not used so long before another node may take it: more than their clocks may differ. */
const marginMs = 10_000

/** The number of this node, which stands in every version it gives: two nodes never give the same one. */
export interface NodeNumber {
  current(): number
  /** Before versions are given: makes sure that the number is still this node's. @throws ChatError `unavailable` */
  hold(): Promise<void>
  /** Writes, and so tells whether the database takes writes. */
  renew(): Promise<void>
  release(): Promise<void>
}

/** @throws Error where all numbers are taken */
export const takeNodeNumber = async ({ nodeNumbers }: Models, now: () => number, log: Log): Promise<NodeNumber> => {
  const owner = randomUUID()
  let number = -1
  let heldUntil = 0

  /** @returns whether it worked: another node may be quicker. */
  const take = async (free: number, until: number): Promise<boolean> => {
    try {
      const { upsertedCount, matchedCount } = await nodeNumbers.updateOne(
        { _id: free, until: nodeNumbers.base.trusted({ $lt: new Date(now()) }) },
        { $set: { owner, until: new Date(until) } },
        { upsert: true },
      )
      return upsertedCount + matchedCount > 0
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  const takeAny = async () => {
    const taken = new Set(
      (
        await nodeNumbers.find({ until: nodeNumbers.base.trusted({ $gte: new Date(now()) }) }, '_id', { lean: true })
      ).map(({ _id }) => _id),
    )
    for (let free = 0; free < nodesMax; free++) {
      if (taken.has(free)) continue
      const until = now() + leaseMs
      if (!(await take(free, until))) continue
      number = free
      heldUntil = until
      return
    }
    throw new Error(`${nodesMax} nodes use this database already, and no more can.`)
  }

  const renew = async () => {
    const until = now() + leaseMs
    const { matchedCount } = await nodeNumbers.updateOne({ _id: number, owner }, { $set: { until: new Date(until) } })
    if (matchedCount > 0) heldUntil = until
    else await takeAny()
  }

  await takeAny()
  const timer = setInterval(
    () =>
      renew().catch((error: unknown) =>
        log.warn({ reason: wordsOf(error) }, 'cannot renew the number of this node; trying again'),
      ),
    renewMs,
  )
  timer.unref()

  return {
    current: () => number,
    async hold() {
      if (now() < heldUntil - marginMs) return
      await renew().catch((error: unknown) => {
        throw unavailable(wordsOf(error))
      })
    },
    renew,
    async release() {
      clearInterval(timer)
      await nodeNumbers.deleteOne({ _id: number, owner })
    },
  }
}
