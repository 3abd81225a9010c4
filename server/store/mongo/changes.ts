import { messageId, type Version } from '../../contract/index.ts'
import type { Change, MessageStore, StoredMessage } from '../../domain/ports.ts'
import { audienceKeys } from './audience.ts'
import { byVersion, toMessage, toReceipt } from './documents.ts'
import { inTime } from './errors.ts'
import { overlap, waitMaxMs } from './limits.ts'
import { aggregate, type MessageDocument, type Models } from './schema.ts'

type Here = 'overlap' | 'version' | 'changes' | 'undelivered' | 'backlog' | 'latestVersions'

/** Up to so many conversations are read each from its first undelivered message on; more, all from the first of all. */
const linesMax = 100

/** So many messages are read at once where some of them are passed over. */
const scanned = 1_000

/** Versions and what changed after them. */
export const changeStore = (models: Models, nextVersion: () => Promise<Version>): Pick<MessageStore, Here> => {
  const { members, messages } = models
  const { trusted } = messages.base
  const reading = { lean: true, maxTimeMS: waitMaxMs } as const

  /** Her conversations with messages above her `deliveredSeq`. */
  const undeliveredLines = (username: string) =>
    aggregate<{ conversationId: string; deliveredSeq: number }>(members, [
      { $match: { username } },
      { $lookup: { from: 'conversations', localField: 'conversationId', foreignField: '_id', as: 'head' } },
      { $unwind: '$head' },
      { $match: { $expr: { $gt: ['$head.lastSeq', '$deliveredSeq'] } } },
      { $project: { _id: 0, conversationId: 1, deliveredSeq: 1 } },
    ])

  /** By version from the first undelivered one on; what was delivered between them is passed over. */
  const firstOfMany = async (
    username: string,
    lines: { conversationId: string; deliveredSeq: number }[],
    { after, upTo }: { after: number; upTo: number },
    limit: number,
  ): Promise<StoredMessage[]> => {
    const delivered = new Map(lines.map(({ conversationId, deliveredSeq }) => [conversationId, deliveredSeq]))
    const keys = await audienceKeys(models, [username])
    const firstIds = lines.map(({ conversationId, deliveredSeq }) => messageId(conversationId, deliveredSeq + 1))
    const [first] = await inTime(
      messages
        .find(
          { conversationId: trusted({ $in: [...delivered.keys()] }), _id: trusted({ $in: firstIds }) },
          { version: 1 },
          {
            ...reading,
            sort: { version: 1 },
            limit: 1,
          },
        )
        .exec(),
    )
    const found: MessageDocument[] = []
    for (let from = Math.max(after, (first?.version ?? 0) - 1); ; ) {
      const version = trusted({ $gt: from, $lte: upTo })
      const page = await inTime(
        messages
          .find({ audience: trusted({ $in: [...keys.keys()] }), version }, null, {
            ...reading,
            sort: { version: 1 },
            limit: scanned,
          })
          .exec(),
      )
      found.push(...page.filter(({ conversationId, seq }) => seq > (delivered.get(conversationId) ?? seq)))
      if (page.length < scanned || found.length >= limit) return found.slice(0, limit).map(toMessage)
      from = page.at(-1)?.version ?? from
    }
  }

  return {
    overlap,
    version: nextVersion,

    async changes(username, { after, upTo, except }, limit) {
      const keys = await audienceKeys(models, [username])
      const range = {
        audience: trusted({ $in: [...keys.keys()] }),
        // A receipt that never moved has version 0.
        version: trusted({ $gt: Math.max(0, after), $lte: upTo }),
        ...(except.length > 0 && { conversationId: trusted({ $nin: except }) }),
      }
      const options = { ...reading, sort: { version: 1 }, limit } as const
      const [newMessages, moved] = await Promise.all([
        inTime(messages.find(range, null, options).exec()),
        inTime(members.find(range, null, options).exec()),
      ])
      const changes: Change[] = [
        ...newMessages.map(
          (document): Change => ({ type: 'message', version: document.version, message: toMessage(document) }),
        ),
        ...moved.map(
          (document): Change => ({ type: 'receipt', version: document.version, receipt: toReceipt(document) }),
        ),
      ]
      return changes.sort(byVersion).slice(0, limit)
    },

    async undelivered(username, { after, upTo }, limit) {
      const lines = await undeliveredLines(username)
      if (lines.length === 0) return []
      const version = trusted({ $gt: after, $lte: upTo })
      const options = { ...reading, sort: { version: 1 }, limit } as const
      if (lines.length <= linesMax) {
        const above = lines.map(({ conversationId, deliveredSeq }) => ({
          conversationId,
          seq: trusted({ $gt: deliveredSeq }),
          version,
        }))
        return (await inTime(messages.find({ $or: above }, null, options).exec())).map(toMessage)
      }
      return firstOfMany(username, lines, { after, upTo }, limit)
    },

    async backlog(username, after, moreThan) {
      const keys = await audienceKeys(models, [username])
      const missed = { audience: { $in: [...keys.keys()] }, version: { $gt: after } }
      const [any] = await aggregate<{ count: number }>(messages, [
        { $match: missed },
        { $limit: moreThan + 1 },
        { $count: 'count' },
      ])
      // Mostly little was missed, and then nothing has to be counted by conversation.
      if ((any?.count ?? 0) <= moreThan) return []
      const counts = await aggregate<{ _id: string; first: number; count: number }>(messages, [
        { $match: missed },
        { $group: { _id: '$conversationId', first: { $min: '$seq' }, count: { $sum: 1 } } },
        { $match: { count: { $gt: moreThan } } },
      ])
      return counts.map(({ _id, first }) => ({ conversationId: _id, afterSeq: first - 1 }))
    },

    async latestVersions(usernames, after) {
      const keys = await audienceKeys(models, usernames)
      const audience = { $in: [...keys.keys()] }
      const newest = [
        { $match: { audience, version: { $gt: after } } },
        { $project: { _id: 0, audience: 1, version: 1 } },
        { $unwind: '$audience' },
        { $match: { audience } },
        { $group: { _id: '$audience', version: { $max: '$version' } } },
      ]
      const found = await Promise.all(
        [messages, members].map((model) => aggregate<{ _id: string; version: number }>(model, newest)),
      )
      const latest = new Map<string, number>()
      for (const { _id, version } of found.flat()) {
        for (const username of keys.get(_id) ?? []) latest.set(username, Math.max(version, latest.get(username) ?? 0))
      }
      return latest
    },
  }
}
