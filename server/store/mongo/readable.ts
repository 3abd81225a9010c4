import type { ConversationId, Seq, UserId, Version } from '../../contract/index.ts'
import { intervalsOf } from './documents.ts'
import { find } from './reads.ts'
import type { MemberDocument, Models } from './schema.ts'

/** An interval of a group, where not all of it may be read. */
export interface Part {
  conversationId: ConversationId
  fromSeq: Seq
  /** `Number.MAX_SAFE_INTEGER`: whatever comes. */
  toSeq: number
}

/** What one user may read, by the keys of `audience`. */
export interface Readable {
  /** Whose messages may all be read: of the user's direct conversations, and of these groups. */
  whole: string[]
  parts: Part[]
  /** Of the user's direct conversations, and of all groups that the user is a member of. */
  current: string[]
}

export const readableBy = async ({ members }: Models, userId: UserId): Promise<Readable> => {
  const memberships = await find(members, { userId, kind: 'group' })
  const isWhole = ({ fromSeq, untilSeq }: MemberDocument) => fromSeq === 1 && untilSeq === undefined
  const idOf = ({ conversationId }: MemberDocument) => conversationId
  return {
    whole: [userId, ...memberships.filter(isWhole).map(idOf)],
    parts: memberships.filter((membership) => !isWhole(membership)).flatMap(partsOf),
    current: [userId, ...memberships.filter(({ untilSeq }) => untilSeq === undefined).map(idOf)],
  }
}

export const partsOf = (membership: MemberDocument): Part[] =>
  intervalsOf(membership).map(({ fromSeq, untilSeq }) => ({
    conversationId: membership.conversationId,
    fromSeq,
    toSeq: untilSeq ?? Number.MAX_SAFE_INTEGER,
  }))

export interface VersionRange {
  after: Version
  upTo: Version
}

/** A filter for messages of these that were sent within a range, all of it served by the index by audience and version. */
export type SentFilter = (range: VersionRange) => object

/**
 * What was said between two memberships is passed over by the index: a part begins and ends at the versions of its first
 * and last message.
 */
export const sentTo = async ({ messages }: Models, { whole, parts }: Readable): Promise<SentFilter> => {
  const ends = parts.map(({ conversationId, fromSeq, toSeq }) => ({ conversationId, seq: { $in: [fromSeq, toSeq] } }))
  const found = ends.length === 0 ? [] : await find(messages, { $or: ends })
  const versions = new Map(found.map(({ conversationId, seq, version }) => [`${conversationId} ${seq}`, version]))
  const bounded = parts.map(({ conversationId, fromSeq, toSeq }) => ({
    audience: conversationId,
    seq: { $gte: fromSeq, $lte: toSeq },
    first: versions.get(`${conversationId} ${fromSeq}`) ?? 0,
    last: versions.get(`${conversationId} ${toSeq}`) ?? Number.MAX_SAFE_INTEGER,
  }))
  return ({ after, upTo }) =>
    anyOf([
      { audience: { $in: whole }, version: { $gt: after, $lte: upTo } },
      ...bounded
        .filter(({ last }) => last > after)
        .map(({ first, last, ...part }) => ({
          ...part,
          version: { $gt: Math.max(after, first - 1), $lte: Math.min(upTo, last) },
        })),
    ])
}

/** A filter for messages that changed in place within a range, and were sent at `sentUpTo` or before. */
export const changedFor = ({ whole, parts }: Readable, { after, upTo }: VersionRange, sentUpTo: Version): object => {
  const changedVersion = { $gt: after, $lte: upTo }
  const version = { $lte: sentUpTo }
  return anyOf([
    { audience: { $in: whole }, changedVersion, version },
    ...parts.map(({ conversationId, fromSeq, toSeq }) => ({
      audience: conversationId,
      seq: { $gte: fromSeq, $lte: toSeq },
      changedVersion,
      version,
    })),
  ])
}

/** One alone stands without `$or`, which asks more of the planner. */
const anyOf = (filters: object[]): object => (filters.length === 1 ? (filters[0] as object) : { $or: filters })
