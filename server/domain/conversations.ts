import {
  type Address,
  ChatError,
  type Conversation,
  type ConversationId,
  type ConversationPage,
  type Conversations,
  conversationIdOf,
  directMembers,
  limits,
  type Profile,
  type UserId,
  type Version,
} from '../contract/index.ts'
import type { ReadingPorts } from './fair-reads.ts'
import { isMember } from './intervals.ts'
import { asSeenBy } from './message-view.ts'
import { withinPage } from './page-text.ts'
import type { Interval, Ports } from './ports.ts'

export interface OpenConversation {
  id: ConversationId
  kind: 'direct' | 'group'
  members: UserId[]
  /** What the caller may read of it. */
  intervals: Interval[]
}

/**
 * The conversation at an address, if the caller may read any of it (P9). A direct one needs no creating, only its people.
 * @throws ChatError `notMember`, also where there is no such group; `unknownUser`
 */
export type Open = (caller: UserId, address: Address) => Promise<OpenConversation>

/** @throws ChatError `notMember` where the caller has left it */
export const openToWrite = (conversation: OpenConversation): OpenConversation => {
  if (!isMember(conversation.intervals)) throw new ChatError('notMember')
  return conversation
}

/** Direct conversations known to have both their people; they never change. Past this many the oldest are forgotten. */
const knownDirectMax = 100_000

const everything: Interval[] = [{ fromSeq: 1, untilSeq: null }]

export const openConversation = ({ store }: Pick<Ports, 'store'>): Open => {
  // Cached as promises, since every send looks one up.
  const known = new Map<ConversationId, { members: UserId[]; opened: Promise<OpenConversation> }>()

  const openPeople = async (id: ConversationId, people: UserId[]): Promise<OpenConversation> => {
    const found = new Set((await store.profiles(people)).map(({ userId }) => userId))
    const missing = people.find((userId) => !found.has(userId))
    if (missing !== undefined)
      throw new ChatError('unknownUser', { message: `There is no user with the id ${missing}.` })
    return { id, kind: 'direct', members: people, intervals: everything }
  }

  /** All who open it meanwhile wait for one promise, so that they go on in the order in which they came (P3). */
  const openDirect = (id: ConversationId, people: UserId[]): Promise<OpenConversation> => {
    const opened = openPeople(id, people)
    known.set(id, { members: people, opened })
    opened.catch(() => known.delete(id))
    if (known.size > knownDirectMax) known.delete(known.keys().next().value as ConversationId)
    return opened
  }

  const openGroup = async (caller: UserId, id: ConversationId): Promise<OpenConversation> => {
    const [group, intervals] = await Promise.all([store.conversation(id), store.intervals(id, caller)])
    if (!group || intervals.length === 0) throw new ChatError('notMember')
    return { id, kind: 'group', members: group.members, intervals }
  }

  const openUnknown = (caller: UserId, id: ConversationId): Promise<OpenConversation> => {
    const people = directMembers(id)
    if (people === null) return openGroup(caller, id)
    return people.includes(caller) ? openDirect(id, people) : Promise.reject(new ChatError('notMember'))
  }

  return (caller, address) => {
    const id = conversationIdOf(caller, address)
    const open = known.get(id)
    return open?.members.includes(caller) ? open.opened : openUnknown(caller, id)
  }
}

export const conversations =
  ({ readsOf, rates, rules }: ReadingPorts) =>
  async (caller: UserId, { limit, cursor }: Conversations): Promise<ConversationPage> => {
    rates.takeNow(rules.call, caller)
    const reads = readsOf(caller)
    const before = cursor === undefined ? null : readCursor(cursor)
    const found = await reads.conversations(caller, before, limit, limits.pageTextMaxBytes)
    const summaries = withinPage(found, 0, ({ lastMessage }) => lastMessage.text)
    const memberIds = summaries.flatMap(({ receipts }) => receipts.map(({ userId }) => userId))
    const people = new Map((await reads.profiles([...new Set(memberIds)])).map((profile) => [profile.userId, profile]))
    const oldest = summaries.at(-1)
    return {
      conversations: summaries.map(
        ({ id, kind, lastMessage, unread, receipts }): Conversation => ({
          id,
          kind,
          members: receipts.map(({ userId }) => people.get(userId) ?? unknownPerson(userId)),
          lastMessage: asSeenBy(caller, lastMessage, receipts),
          unread,
          receipts,
        }),
      ),
      nextCursor:
        oldest && (found.length === limit || summaries.length < found.length) ? String(oldest.lastVersion) : null,
    }
  }

/** The version of the last summary of a page. @throws ChatError `badCursor` */
const readCursor = (text: string): Version => {
  const version = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(version)) throw new ChatError('badCursor')
  return version
}

/** Whose account is gone. */
const unknownPerson = (userId: UserId): Profile => ({ userId, displayName: userId, version: 0 })
