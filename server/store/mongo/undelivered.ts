import type { UserId } from '../../contract/index.ts'
import type { Change } from '../../domain/ports.ts'
import { messageSent } from './documents.ts'
import { mergePages } from './merge-pages.ts'
import { type Part, partsOf, type VersionRange } from './readable.ts'
import { aggregate, aggregateAll } from './reads.ts'
import type { MemberDocument, MessageDocument, Models } from './schema.ts'

/** So many messages of each conversation are read at once, unless it is the only one. */
const leastAtOnce = 5

/** The messages above a user's `deliveredSeq`: each conversation from its first one on, merged by version. */
export async function* undeliveredPages(
  models: Models,
  userId: UserId,
  { after, upTo }: VersionRange,
  limit: number,
): AsyncGenerator<Change[], void> {
  const parts = await undeliveredParts(models, userId)
  const atOnce = Math.min(limit, Math.max(leastAtOnce, Math.ceil(limit / Math.max(1, parts.length))))
  const read = createGatheredReads(models, { after, upTo }, atOnce)
  yield* mergePages(
    parts.map((part) => pagesOf(part, atOnce, read)),
    limit,
  )
}

/** What may be read above `deliveredSeq`, of the conversations that say they have such messages. */
const undeliveredParts = async ({ members }: Models, userId: UserId): Promise<Part[]> => {
  const memberships = await aggregate<MemberDocument>(members, [
    { $match: { userId } },
    { $lookup: { from: 'conversations', localField: 'conversationId', foreignField: '_id', as: 'head' } },
    { $unwind: '$head' },
    { $match: { $expr: { $gt: ['$head.lastSeq', '$deliveredSeq'] } } },
    { $project: { head: 0 } },
  ])
  return memberships.flatMap((membership) =>
    partsOf(membership)
      .map((part) => ({ ...part, fromSeq: Math.max(part.fromSeq, membership.deliveredSeq + 1) }))
      .filter(({ fromSeq, toSeq }) => fromSeq <= toSeq),
  )
}

async function* pagesOf(
  part: Part,
  atOnce: number,
  read: (part: Part) => Promise<MessageDocument[]>,
): AsyncGenerator<Change[], void> {
  for (let rest = part; ; ) {
    const page = await read(rest)
    yield page.map(messageSent)
    const last = page.at(-1)
    if (!last || page.length < atOnce) return
    rest = { ...part, fromSeq: last.seq + 1 }
  }
}

/** Those that are asked for within one turn of the event loop are read together. */
const createGatheredReads = ({ messages }: Models, { after, upTo }: VersionRange, atOnce: number) => {
  let gathered: Part[] = []
  let reading: Promise<Map<string, MessageDocument[]>> | null = null

  const readAll = async (): Promise<Map<string, MessageDocument[]>> => {
    await new Promise((resolve) => setImmediate(resolve))
    const parts = gathered
    gathered = []
    reading = null
    const found = await aggregateAll<MessageDocument>(
      messages,
      parts.map(({ conversationId, fromSeq, toSeq }) => [
        { $match: { conversationId, seq: { $gte: fromSeq, $lte: toSeq }, version: { $gt: after, $lte: upTo } } },
        { $sort: { seq: 1 } },
        { $limit: atOnce },
      ]),
    )
    const byConversation = new Map<string, MessageDocument[]>()
    for (const document of found) {
      const known = byConversation.get(document.conversationId)
      if (known) known.push(document)
      else byConversation.set(document.conversationId, [document])
    }
    return byConversation
  }

  return async (part: Part): Promise<MessageDocument[]> => {
    gathered.push(part)
    reading ??= readAll()
    const found = (await reading).get(part.conversationId) ?? []
    return found.filter(({ seq }) => part.fromSeq <= seq && seq <= part.toSeq).sort((a, b) => a.seq - b.seq)
  }
}
