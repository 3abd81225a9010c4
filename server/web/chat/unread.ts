import type { ChatMessage, ConversationView } from '@parley/client'
import { useConversations, useView } from '@parley/client/react'
import { useEffect, useState } from 'react'

/** To show the first unread message, at most so many are read; whoever has missed more starts at the end. */
const readMax = 300

/**
 * The first message that was unread when the conversation was opened; null: none, or too far back. Undefined until that is
 * known, which takes the messages and the count, or the want of a connection.
 */
export const useFirstUnread = (view: ConversationView, isConnected: boolean): number | null | undefined => {
  const { messages, hasOlder, loading, error } = useView(view)
  const { conversations, isLoading, error: listError } = useConversations()
  const [first, setFirst] = useState<number | null | undefined>(undefined)

  const isCounted = !isLoading || conversations.length > 0 || listError !== null
  const unread = conversations.find(({ id }) => id === view.id)?.unread ?? 0
  useEffect(() => {
    if (first !== undefined) return
    // What was written without a connection is to be seen without one.
    if (!isConnected && messages.length > 0) return setFirst(null)
    if (!isCounted || loading !== null || error) return
    const found = firstOfNewest(messages, unread)
    if (found === null && unread > 0 && hasOlder && messages.length < readMax) void view.loadOlder()
    else setFirst(found)
  }, [first, messages, hasOlder, loading, error, isCounted, unread, isConnected, view])
  return first
}

/** Where the last `count` messages of others begin. */
const firstOfNewest = (messages: readonly ChatMessage[], count: number): number | null => {
  let left = count
  for (let i = messages.length - 1; i >= 0 && left > 0; i--) {
    const message = messages[i]
    // Deleted ones do not count.
    if (message?.status === 'received' && message.deletedAt === null && --left === 0) return message.seq
  }
  return null
}
