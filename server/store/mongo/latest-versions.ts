import type { UserId, Version } from '../../contract/index.ts'
import { isMember } from './documents.ts'
import { type Part, partsOf } from './readable.ts'
import { aggregate, find } from './reads.ts'
import type { MemberDocument, Models } from './schema.ts'

type Note = (userId: UserId, version: Version) => void

/** Notes for each of these users the versions above `after` of what concerns them, the newest of each kind among them. */
export const noteLatest = async (models: Models, userIds: UserId[], after: Version, note: Note): Promise<void> => {
  const concerned = await concernedBy(models, userIds)
  const newer = { $gt: after }
  await Promise.all([
    noteSent(models, concerned, after, note),
    noteChanged(models, concerned, newer, note),
    noteReceipts(models, concerned, newer, note),
    noteProfiles(models, concerned, newer, note),
  ])
}

/** Whom it concerns what is found by the keys of `audience`: users themselves, and those of them who are in groups. */
interface Concerned {
  keys: string[]
  /** Of users themselves nothing. */
  memberships(key: string): MemberDocument[]
  isUser(key: string): boolean
}

const concernedBy = async ({ members }: Models, userIds: UserId[]): Promise<Concerned> => {
  const inGroups = new Map<string, MemberDocument[]>()
  for (const membership of await find(members, { userId: { $in: userIds }, kind: 'group' })) {
    const known = inGroups.get(membership.conversationId)
    if (known) known.push(membership)
    else inGroups.set(membership.conversationId, [membership])
  }
  const users = new Set(userIds)
  return {
    keys: [...userIds, ...inGroups.keys()],
    memberships: (key) => inGroups.get(key) ?? [],
    isUser: (key) => users.has(key),
  }
}

const membersOf = ({ memberships, isUser }: Concerned, key: string): UserId[] =>
  isUser(key)
    ? [key]
    : memberships(key)
        .filter(({ untilSeq }) => untilSeq === undefined)
        .map(({ userId }) => userId)

/** Versions rise along a group, so that its newest message says it for all but those who may not read that one. */
const noteSent = async ({ messages }: Models, concerned: Concerned, after: Version, note: Note): Promise<void> => {
  const audience = { $in: concerned.keys }
  const newest = await aggregate<{ _id: string; version: number; seq: number }>(messages, [
    { $match: { audience, version: { $gt: after } } },
    { $project: { _id: 0, audience: 1, version: 1, seq: 1 } },
    { $unwind: '$audience' },
    { $match: { audience } },
    { $group: { _id: '$audience', version: { $max: '$version' }, seq: { $max: '$seq' } } },
  ])
  const earlier: { userId: UserId; part: Part }[] = []
  for (const { _id: key, version, seq } of newest) {
    if (concerned.isUser(key)) note(key, version)
    for (const membership of concerned.memberships(key)) {
      const part = partsOf(membership).findLast(({ fromSeq }) => fromSeq <= seq)
      if (part && seq <= part.toSeq) note(membership.userId, version)
      else if (part) earlier.push({ userId: membership.userId, part })
    }
  }
  if (earlier.length === 0) return
  const ends = earlier.map(({ part: { conversationId, toSeq } }) => ({ conversationId, seq: toSeq }))
  for (const { conversationId, seq, version } of await find(messages, { $or: ends, version: { $gt: after } })) {
    for (const { userId, part } of earlier) {
      if (part.conversationId === conversationId && part.toSeq === seq) note(userId, version)
    }
  }
}

const noteChanged = async (
  { messages }: Models,
  concerned: Concerned,
  newer: { $gt: Version },
  note: Note,
): Promise<void> => {
  const changed = await find(
    messages,
    { audience: { $in: concerned.keys }, changedVersion: newer },
    { projection: { _id: 0, audience: 1, seq: 1, changedVersion: 1 } },
  )
  for (const { audience, seq, changedVersion = 0 } of changed) {
    for (const key of audience) {
      if (concerned.isUser(key)) note(key, changedVersion)
      for (const membership of concerned.memberships(key)) {
        const mayRead = partsOf(membership).some(({ fromSeq, toSeq }) => fromSeq <= seq && seq <= toSeq)
        if (mayRead) note(membership.userId, changedVersion)
      }
    }
  }
}

const noteReceipts = async (
  { members }: Models,
  concerned: Concerned,
  newer: { $gt: Version },
  note: Note,
): Promise<void> => {
  const audience = { $in: concerned.keys }
  const newest = await aggregate<{ _id: string; version: number }>(members, [
    { $match: { audience, version: newer, ...isMember } },
    { $project: { _id: 0, audience: 1, version: 1 } },
    { $unwind: '$audience' },
    { $match: { audience } },
    { $group: { _id: '$audience', version: { $max: '$version' } } },
  ])
  for (const { _id: key, version } of newest) for (const userId of membersOf(concerned, key)) note(userId, version)
}

const noteProfiles = async (
  { users, members }: Models,
  concerned: Concerned,
  newer: { $gt: Version },
  note: Note,
): Promise<void> => {
  const changed = await find(users, { version: newer }, { projection: { version: 1 } })
  if (changed.length === 0) return
  const versions = new Map(changed.map(({ _id, version }) => [_id, version]))
  for (const [userId, version] of versions) if (concerned.isUser(userId)) note(userId, version)
  const shared = await find(
    members,
    { userId: { $in: [...versions.keys()] }, audience: { $in: concerned.keys }, ...isMember },
    { projection: { _id: 0, userId: 1, audience: 1 } },
  )
  for (const { userId, audience } of shared) {
    for (const key of audience) for (const reader of membersOf(concerned, key)) note(reader, versions.get(userId) ?? 0)
  }
}
