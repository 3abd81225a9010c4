import type { Chat, ChatMessage, ConversationSummary, OutgoingMessage } from '@parley/client'
import { useConversations, useOutbox } from '@parley/client/react'
import { useMemo } from 'react'
import { membersOf, peerOf, titleOf } from './names.ts'
import { addressOf } from './place.ts'

/** A conversation, as the list shows it. */
export interface InboxEntry {
  id: string
  address: string
  title: string
  /** The other one of a direct conversation. */
  peer: string | null
  unread: number
  last: Pick<ChatMessage, 'text' | 'sender' | 'sentAt' | 'status'> | null
}

/**
 * The conversations, with what is on its way in them: an own message is the newest one as soon as it was written,
 * also the first one to somebody, and also without a connection.
 */
export const useInbox = (chat: Chat) => {
  const { conversations, hasMore, isLoading, error } = useConversations(chat)
  const outgoing = useOutbox(chat)
  const entries = useMemo(
    () => inboxOf(chat.username, conversations, outgoing),
    [chat.username, conversations, outgoing],
  )
  return { entries, hasMore, isLoading, error }
}

const inboxOf = (
  username: string,
  conversations: readonly ConversationSummary[],
  outgoing: readonly OutgoingMessage[],
): InboxEntry[] => {
  /** The last one of each conversation. */
  const waiting = new Map(outgoing.map((message) => [message.conversationId, message]))
  const known = new Set(conversations.map(({ id }) => id))
  const entryOf = (id: string, members: readonly string[], unread: number, last: InboxEntry['last']): InboxEntry => ({
    id,
    address: addressOf(id, username),
    title: titleOf(members, username),
    peer: peerOf(id, username),
    unread,
    last,
  })
  const lastOf = ({ text, queuedAt, status }: OutgoingMessage) => ({ text, status, sender: username, sentAt: queuedAt })

  const fresh = [...waiting.values()].filter(({ conversationId }) => !known.has(conversationId))
  const all = [
    ...fresh.map((message) => entryOf(message.conversationId, membersOf(message.conversationId), 0, lastOf(message))),
    ...conversations.map(({ id, members, unread, lastMessage }) => {
      const own = waiting.get(id)
      return entryOf(id, members, unread, own ? lastOf(own) : lastMessage)
    }),
  ]
  // What was written last comes first; all others keep the order that the server gave them.
  const writtenAt = ({ last }: InboxEntry) => (last?.status === 'sending' ? last.sentAt.getTime() : 0)
  return all.sort((a, b) => writtenAt(b) - writtenAt(a))
}
