import type { ConversationId, UserId, Version } from '../../contract/index.ts'
import type { ConversationSummary } from '../../domain/ports.ts'
import { isMember, toMessage, toReceipt } from './documents.ts'
import { type Part, partsOf } from './readable.ts'
import { find } from './reads.ts'
import type { MemberDocument, MessageDocument, Models } from './schema.ts'
import { countUnread, type UnreadOf } from './unread.ts'

/** A conversation and its newest message that the user may read. */
interface Listed {
  id: ConversationId
  kind: 'direct' | 'group'
  lastSeq: number
  lastVersion: Version
}

/** A user's conversations, the one with the newest message first: some queries for all, however much is unread. */
export const listConversations = async (
  models: Models,
  userId: UserId,
  before: Version | null,
  limit: number,
): Promise<ConversationSummary[]> => {
  const below = before ?? Number.MAX_SAFE_INTEGER
  const groups = await find(models.members, { userId, kind: 'group', ...isMember })
  const whole = groups.filter(({ fromSeq }) => fromSeq === 1).map(({ conversationId }) => conversationId)
  const inPart = groups.filter(({ fromSeq }) => fromSeq > 1)
  const found = await Promise.all([listWhole(models, [userId, ...whole], below, limit), listInPart(models, inPart)])
  const listed = found
    .flat()
    .filter(({ lastVersion }) => lastVersion < below)
    .sort((a, b) => b.lastVersion - a.lastVersion)
    .slice(0, limit)
  return listed.length === 0 ? [] : summarise(models, userId, listed)
}

/** By the conversations themselves, which are moved on before anybody is told that a message is stored. */
const listWhole = async (
  { conversations }: Models,
  keys: string[],
  below: Version,
  limit: number,
): Promise<Listed[]> => {
  const filter = { audience: { $in: keys }, lastVersion: { $gt: 0, $lt: below } }
  const heads = await find(conversations, filter, { sort: { lastVersion: -1 }, limit })
  return heads.map(({ _id, kind, lastSeq, lastVersion }) => ({ id: _id, kind, lastSeq, lastVersion }))
}

/** Whoever came later, or came back, may not read the newest message everywhere. */
const listInPart = async ({ conversations, messages }: Models, memberships: MemberDocument[]): Promise<Listed[]> => {
  if (memberships.length === 0) return []
  const ids = memberships.map(({ conversationId }) => conversationId)
  const heads = new Map((await find(conversations, { _id: { $in: ids } })).map((head) => [head._id, head]))
  const last = memberships.flatMap((membership) => {
    const { conversationId } = membership
    const lastSeq = heads.get(conversationId)?.lastSeq ?? 0
    const part = partsOf(membership).findLast(({ fromSeq }) => fromSeq <= lastSeq)
    return part ? [{ conversationId, seq: Math.min(lastSeq, part.toSeq) }] : []
  })
  const found = last.length === 0 ? [] : await find(messages, { $or: last })
  return found.map(({ conversationId, seq, version }) => ({
    id: conversationId,
    kind: 'group',
    lastSeq: seq,
    lastVersion: version,
  }))
}

const summarise = async (models: Models, userId: UserId, listed: Listed[]): Promise<ConversationSummary[]> => {
  const { members, messages } = models
  const all = await find(members, { conversationId: { $in: listed.map(({ id }) => id) }, ...isMember })
  const own = new Map(all.filter((member) => member.userId === userId).map((member) => [member.conversationId, member]))
  const unreadOf = listed.map((one): UnreadOf => ({ conversationId: one.id, ranges: rangesOf(one, own.get(one.id)) }))
  // The newest ones, and those up to which was read.
  const ends = listed.map(({ id, lastSeq }) => {
    const readSeq = own.get(id)?.readSeq ?? 0
    return { conversationId: id, seq: { $in: readSeq > 0 && readSeq < lastSeq ? [lastSeq, readSeq] : [lastSeq] } }
  })
  const found = new Map((await find(messages, { $or: ends })).map((message) => [placeOf(message), message]))
  const messageAt = (conversationId: ConversationId, seq: number) => found.get(placeOf({ conversationId, seq }))
  const unread = await countUnread(models, userId, unreadOf, messageAt)
  const receipts = groupByConversation(all)
  return listed.map(({ id, kind, lastSeq, lastVersion }) => ({
    id,
    kind,
    lastMessage: toMessage(messageAt(id, lastSeq) as MessageDocument),
    lastVersion,
    unread: unread.get(id) ?? 0,
    receipts: (receipts.get(id) ?? []).map(toReceipt),
  }))
}

/** Where there may be unread messages: what may be read above `readSeq`, up to the newest one. */
const rangesOf = ({ lastSeq }: Listed, membership: MemberDocument | undefined): UnreadOf['ranges'] => {
  if (!membership) return []
  const range = ({ fromSeq, toSeq }: Part) => ({
    above: Math.max(fromSeq - 1, membership.readSeq),
    upTo: Math.min(toSeq, lastSeq),
  })
  return partsOf(membership)
    .map(range)
    .filter(({ above, upTo }) => above < upTo)
}

const placeOf = ({ conversationId, seq }: { conversationId: string; seq: number }) => `${conversationId} ${seq}`

const groupByConversation = (members: MemberDocument[]): Map<ConversationId, MemberDocument[]> => {
  const grouped = new Map<ConversationId, MemberDocument[]>()
  for (const member of members) {
    const known = grouped.get(member.conversationId)
    if (known) known.push(member)
    else grouped.set(member.conversationId, [member])
  }
  return grouped
}
