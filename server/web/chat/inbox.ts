import type { Chat, ChatMessage, ConversationSummary, OutgoingChange, OutgoingMessage } from '@parley/client'
import { useConversations, useOutbox } from '@parley/client/react'
import { useMemo } from 'react'
import { looksOf, membersOf, type NamedPerson, peerOf, titleOf } from './names.ts'
import { addressOf } from './route.ts'
import { isMessage } from './unsent.ts'

/** A conversation, as the list shows it. */
export interface InboxEntry {
  id: string
  address: string
  title: string
  /** The other one of a direct conversation. */
  peer: string | null
  /** Others are called the same, or what looks like it: the id tells them apart. */
  isAmbiguous: boolean
  unread: number
  last: LastMessage | null
}

type LastMessage = Pick<ChatMessage, 'text' | 'sender' | 'senderName' | 'sentAt' | 'status' | 'deletedAt'>

/**
 * The conversations, with what is on its way in them: an own message is the newest one as soon as it was written,
 * also the first one to somebody, and also without a connection.
 */
export const useInbox = (chat: Chat) => {
  const { conversations, hasMore, isLoading, error } = useConversations()
  const { outgoing } = useOutbox()
  const entries = useMemo(() => inboxOf(chat, conversations, outgoing), [chat, conversations, outgoing])
  return { entries, hasMore, isLoading, error }
}

const inboxOf = (
  chat: Chat,
  conversations: readonly ConversationSummary[],
  outgoing: readonly (OutgoingMessage | OutgoingChange)[],
): InboxEntry[] => {
  const { userId } = chat
  /** The last one of each conversation. */
  const waiting = new Map(outgoing.filter(isMessage).map((message) => [message.conversationId, message]))
  const known = new Set(conversations.map(({ id }) => id))
  const entryOf = (id: string, members: readonly NamedPerson[], unread: number, last: LastMessage | null) => ({
    id,
    address: addressOf(id, userId),
    title: titleOf(members, userId),
    peer: peerOf(id, userId),
    unread,
    last,
  })
  const lastOf = ({ text, queuedAt, status }: OutgoingMessage): LastMessage => ({
    text,
    status,
    sender: userId,
    senderName: userId,
    sentAt: queuedAt,
    deletedAt: null,
  })

  const fresh = [...waiting.values()].filter(({ conversationId }) => !known.has(conversationId))
  const all = [
    ...fresh.map((message) => {
      const { id, getSnapshot } = chat.conversation(message.conversationId)
      return entryOf(id, membersOf(id, getSnapshot().people), 0, lastOf(message))
    }),
    ...conversations.map(({ id, members, unread, lastMessage }) => {
      const own = waiting.get(id)
      return entryOf(id, members, unread, own ? lastOf(own) : lastMessage)
    }),
  ]
  // What was written last comes first; all others keep the order that the server gave them.
  const writtenAt = ({ last }: { last: LastMessage | null }) => (last?.status === 'sending' ? last.sentAt.getTime() : 0)
  const counts = new Map<string, number>()
  for (const { title } of all) counts.set(looksOf(title), (counts.get(looksOf(title)) ?? 0) + 1)
  return all
    .sort((a, b) => writtenAt(b) - writtenAt(a))
    .map((entry) => ({ ...entry, isAmbiguous: (counts.get(looksOf(entry.title)) ?? 0) > 1 }))
}
