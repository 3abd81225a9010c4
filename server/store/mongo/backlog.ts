import type { UserId, Version } from '../../contract/index.ts'
import type { MessageStore } from '../../domain/ports.ts'
import { noteLatest } from './latest-versions.ts'
import { overlap } from './limits.ts'
import { readableBy, sentTo } from './readable.ts'
import { aggregate } from './reads.ts'
import type { Models } from './schema.ts'

type Here = 'overlap' | 'parallelReads' | 'version' | 'backlog' | 'latestVersions'

/** Versions, and how much came after them. */
export const backlogStore = (models: Models, nextVersion: () => Promise<Version>): Pick<MessageStore, Here> => {
  const { messages } = models
  return {
    overlap,
    // Fewer than there are connections (50), so that those who write or look something up find one free.
    parallelReads: 32,
    version: nextVersion,

    async backlog(userId, after, moreThan) {
      const isSent = await sentTo(models, await readableBy(models, userId))
      const missed = { $match: isSent({ after, upTo: Number.MAX_SAFE_INTEGER }) }
      const [any] = await aggregate<{ count: number }>(messages, [
        missed,
        { $limit: moreThan + 1 },
        { $count: 'count' },
      ])
      // Mostly little was missed, and then nothing has to be counted by conversation.
      if ((any?.count ?? 0) <= moreThan) return []
      const counts = await aggregate<{ _id: string; first: number; count: number }>(messages, [
        missed,
        { $group: { _id: '$conversationId', first: { $min: '$seq' }, count: { $sum: 1 } } },
        { $match: { count: { $gt: moreThan } } },
      ])
      return counts.map(({ _id, first }) => ({ conversationId: _id, afterSeq: first - 1 }))
    },

    async latestVersions(userIds, after) {
      const latest = new Map<UserId, Version>()
      if (userIds.length === 0) return latest
      const note = (userId: UserId, version: Version) => latest.set(userId, Math.max(version, latest.get(userId) ?? 0))
      await noteLatest(models, userIds, Math.max(0, after), note)
      return latest
    },
  }
}
