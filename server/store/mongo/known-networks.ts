import type { KnownNetworkStore } from '../../domain/ports.ts'
import { inTime } from './errors.ts'
import { waitMaxMs } from './limits.ts'
import { find, findOne } from './reads.ts'
import { type Models, native } from './schema.ts'

export const knownNetworkStore = ({ knownNetworks }: Models): KnownNetworkStore => {
  const collection = native(knownNetworks)
  const writing = { maxTimeMS: waitMaxMs }

  const keepNewest = async (userId: string, keep: number): Promise<void> => {
    const all = await find(knownNetworks, { userId }, { sort: { userId: 1, seenAt: -1 } })
    const older = all.slice(keep).map(({ _id }) => _id)
    if (older.length > 0) await inTime(collection.deleteMany({ _id: { $in: older } }, writing))
  }

  return {
    async rememberNetwork({ userId, networkHash, seenAt }, keep) {
      // By nothing but the id: then the database itself tries an upsert again that met another one.
      const filter = { _id: networkId(userId, networkHash) }
      const update = { $setOnInsert: { userId }, $max: { seenAt } }
      const { upsertedCount } = await inTime(collection.updateOne(filter, update, { upsert: true, ...writing }))
      if (upsertedCount > 0) await keepNewest(userId, keep)
    },

    async networkSeenAt(userId, networkHash) {
      return (await findOne(knownNetworks, { _id: networkId(userId, networkHash) }))?.seenAt ?? null
    },

    async deleteNetworksSeenBefore(before) {
      return (await inTime(collection.deleteMany({ seenAt: { $lt: before } }, writing))).deletedCount
    },
  }
}

export const networkId = (userId: string, networkHash: string): string => `${userId} ${networkHash}`
