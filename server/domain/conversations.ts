import {
  type Address,
  ChatError,
  type Conversation,
  type ConversationId,
  type ConversationPage,
  type Conversations,
  conversationIdOf,
  directMembers,
  type Username,
} from '../contract/index.ts'
import { asSeenBy } from './message-view.ts'
import { withinPage } from './page-text.ts'
import type { Ports } from './ports.ts'

export interface OpenConversation {
  id: ConversationId
  kind: 'direct' | 'group'
  members: Username[]
}

/**
 * The conversation at an address, if the caller is in it (P9). A direct one needs no creating, only its people.
 * @throws ChatError `notMember`, also where there is no such group; `unknownUser`
 */
export type Open = (caller: Username, address: Address) => Promise<OpenConversation>

/** Direct conversations known to have both their people; they never change. Past this many the oldest are forgotten. */
const knownDirectMax = 100_000

export const openConversation = ({ store }: Ports): Open => {
  // With the promise of each: every message asks for one.
  const known = new Map<ConversationId, { members: Username[]; opened: Promise<OpenConversation> }>()

  const openDirect = async (id: ConversationId, people: Username[]): Promise<OpenConversation> => {
    for (const name of people) {
      if (!(await store.user(name))) throw new ChatError('unknownUser', { message: `There is no user named ${name}.` })
    }
    const conversation: OpenConversation = { id, kind: 'direct', members: people }
    known.set(id, { members: people, opened: Promise.resolve(conversation) })
    if (known.size > knownDirectMax) known.delete(known.keys().next().value as ConversationId)
    return conversation
  }

  const openUnknown = async (caller: Username, id: ConversationId): Promise<OpenConversation> => {
    const people = directMembers(id)
    if (people?.includes(caller)) return openDirect(id, people)
    const group = people ? null : await store.conversation(id)
    if (!group?.members.includes(caller)) throw new ChatError('notMember')
    return group
  }

  return (caller, address) => {
    const id = conversationIdOf(caller, address)
    const open = known.get(id)
    return open?.members.includes(caller) ? open.opened : openUnknown(caller, id)
  }
}

export const conversations =
  ({ store, rates, rules }: Ports) =>
  async (caller: Username, { limit, cursor }: Conversations): Promise<ConversationPage> => {
    rates.takeNow(rules.call, caller)
    const before = cursor === undefined ? null : Number(cursor)
    if (before !== null && !Number.isSafeInteger(before)) throw new ChatError('badCursor')
    const found = await store.conversations(caller, before, limit)
    const summaries = withinPage(found, 0, ({ lastMessage }) => lastMessage.text)
    const oldest = summaries.at(-1)
    return {
      conversations: summaries.map(
        ({ id, kind, lastMessage, unread, receipts }): Conversation => ({
          id,
          kind,
          members: receipts.map(({ username }) => username),
          lastMessage: asSeenBy(caller, lastMessage, receipts),
          unread,
          receipts,
        }),
      ),
      nextCursor:
        oldest && (found.length === limit || summaries.length < found.length)
          ? String(oldest.lastMessage.version)
          : null,
    }
  }
