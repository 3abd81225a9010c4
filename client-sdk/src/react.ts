import { useMemo, useSyncExternalStore } from 'react'
import type {
  Chat,
  ChatClient,
  ClientState,
  ConversationSnapshot,
  ConversationsSnapshot,
  OutgoingChange,
  OutgoingMessage,
  Status,
  View,
} from './public.ts'

/** What a view shows now. The component renders again when that changes. */
export const useView = <Value>(view: View<Value>): Value =>
  useSyncExternalStore(view.subscribe, view.getSnapshot, view.getSnapshot)

/** One conversation. @param to a user id or the id of a conversation */
export const useConversation = (chat: Chat, to: string): ConversationSnapshot => useView(chat.conversation(to))

/** The conversations of this user, the one with the newest message first. */
export const useConversations = (chat: Chat): ConversationsSnapshot => useView(chat.conversations)

/** Own messages, and changes of them, that the server has not acknowledged. */
export const useOutbox = (chat: Chat): readonly (OutgoingMessage | OutgoingChange)[] => useView(chat.outbox)

/** Who is online. @param users of whom; all, if left out. The same names in a new array are no change. */
export const usePresence = (chat: Chat, users?: string[]): ReadonlyMap<string, Status> => useView(chat.presence(users))

/** How the client is connected. */
export const useClientState = (client: ChatClient): ClientState => {
  const view = useMemo(() => ({ getSnapshot: () => client.state, subscribe: client.onState }), [client])
  return useView(view)
}
