import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useInsertionEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react'
import { conversationIdOf } from '../../server/contract/places.ts'
import { createChat, createClient } from './index.ts'
import type {
  ChatOptions,
  ClientOptions,
  ClientState,
  ConversationSnapshot,
  ConversationsSnapshot,
  ConversationsView,
  ConversationView,
  Outbox,
  OutgoingChange,
  OutgoingMessage,
  Status,
  TokenReason,
  View,
} from './public.ts'
import { type ChatHandle, createChatHandle, handleOf, type OpenChat, viewIn } from './react/chat-handle.ts'

export type { ChatHandle, OpenChat }

export interface UseChatOptions extends ClientOptions, ChatOptions {}

/**
 * The chat of one user, for `ChatProvider`. It connects once the component is mounted, and closes when it is unmounted. Another
 * `url`, `userId` or session (`token` as a string) is another chat. Functions may be new ones in each render; of the other
 * options a later value counts when the chat is opened the next time.
 */
export const useChat = (options: UseChatOptions): ChatHandle => {
  const { url, userId, token } = options
  const key = JSON.stringify([url, userId, typeof token, typeof token === 'string' ? token : null])
  // A state and no memo: fast refresh makes memos anew.
  const [known, setKnown] = useState(() => newChat(key, options))
  const made = known.key === key ? known : newChat(key, options)
  if (made !== known) setKnown(made)
  const { handle, latest } = made
  useInsertionEffect(() => {
    latest.current = options
  })
  useEffect(() => handle.hold(), [handle])
  return handle
}

/** Opens nothing yet: a render may be for nothing. */
const newChat = (key: string, options: UseChatOptions) => {
  const latest = { current: options }
  return { key, latest, handle: createChatHandle(options.userId, () => openChat(latest)) }
}

const openChat = (latest: { readonly current: UseChatOptions }): OpenChat => {
  const { url, token, callTimeoutMs, ...options } = latest.current
  const client = createClient({
    url,
    callTimeoutMs,
    token: typeof token === 'function' ? (why) => tokenOf(latest.current, why) : token,
  })
  return { client, chat: createChat(client, { ...options, onError: (error) => latest.current.onError?.(error) }) }
}
const tokenOf = ({ token }: UseChatOptions, why: TokenReason) => (typeof token === 'function' ? token(why) : token)

const Provided = createContext<ChatHandle | null>(null)

export interface ChatProviderProps {
  /** What `useChat` returned, or a client and a chat that the program itself opened, and closes. */
  chat: ChatHandle | OpenChat
  children?: ReactNode
}

/** Gives a chat to the hooks of all components in it. */
export const ChatProvider = ({ chat, children }: ChatProviderProps): ReactElement => {
  const value = useMemo(() => ('hold' in chat ? chat : handleOf(chat)), [chat])
  return createElement(Provided.Provider, { value }, children)
}

/** The chat of the provider, for what no hook does: `open()` gives its client and chat to handlers and effects. */
export const useChatHandle = (): ChatHandle => {
  const handle = useContext(Provided)
  if (!handle) throw new Error('This hook of @parley/client/react needs a <ChatProvider> around the component')
  return handle
}

/**
 * What a view shows now. The component renders again when that changes.
 * @param initial what a server renders and hydration begins with, where the view may already show more in the page
 */
export const useView = <Value>(view: View<Value>, initial?: Value): Value =>
  useSyncExternalStore(view.subscribe, view.getSnapshot, () => (initial === undefined ? view.getSnapshot() : initial))

/** A snapshot with what can be done about it. The same object until one of them changes. */
const useShown = <Value extends object, Actions extends object>(
  view: ReturnType<typeof viewIn<Value>>,
  actions: Actions,
): Value & Actions => {
  const snapshot = useView(view, view.initial)
  return useMemo(() => ({ ...snapshot, ...actions }), [snapshot, actions])
}

export type ConversationActions = Pick<ConversationView, 'send' | 'edit' | 'delete' | 'loadOlder' | 'markRead'>

/**
 * One conversation: what it shows, and what can be done in it. The functions stay the same.
 * @param to a user id or the id of a conversation
 */
export const useConversation = (to: string): ConversationSnapshot & ConversationActions => {
  const handle = useChatHandle()
  const { view, actions } = useMemo(() => conversationIn(handle, to), [handle, to])
  return useShown(view, actions)
}

const conversationIn = (handle: ChatHandle, to: string) => {
  const initial: ConversationSnapshot = {
    id: conversationIdOf(handle.userId, to),
    messages: [],
    people: [],
    hasOlder: false,
    loading: 'newest',
    error: null,
  }
  const conversation = () => handle.open().chat.conversation(to)
  const actions: ConversationActions = {
    send: (text) => conversation().send(text),
    edit: (message, text) => conversation().edit(message, text),
    delete: (message) => conversation().delete(message),
    loadOlder: (options) => conversation().loadOlder(options),
    markRead: (upTo) => conversation().markRead(upTo),
  }
  return { view: viewIn(handle, ({ chat }) => chat.conversation(to), initial), actions }
}

export type ConversationsActions = Pick<ConversationsView, 'loadMore'>

/** The conversations of this user, the one with the newest message first. */
export const useConversations = (): ConversationsSnapshot & ConversationsActions => {
  const handle = useChatHandle()
  const { view, actions } = useMemo(() => conversationsIn(handle), [handle])
  return useShown(view, actions)
}

const noConversations: ConversationsSnapshot = { conversations: [], hasMore: false, isLoading: true, error: null }

const conversationsIn = (handle: ChatHandle) => {
  const actions: ConversationsActions = { loadMore: (options) => handle.open().chat.conversations.loadMore(options) }
  return { view: viewIn(handle, ({ chat }) => chat.conversations, noConversations), actions }
}

export interface OutboxSnapshot {
  outgoing: readonly (OutgoingMessage | OutgoingChange)[]
}
export type OutboxActions = Pick<Outbox, 'retry' | 'cancel'>

/** Own messages, and changes of them, that the server has not acknowledged. */
export const useOutbox = (): OutboxSnapshot & OutboxActions => {
  const handle = useChatHandle()
  const { view, actions } = useMemo(() => outboxIn(handle), [handle])
  const outgoing = useView(view, view.initial)
  return useMemo(() => ({ outgoing, ...actions }), [outgoing, actions])
}

const nothingOutgoing: OutboxSnapshot['outgoing'] = []

const outboxIn = (handle: ChatHandle) => {
  const actions: OutboxActions = {
    retry: (id) => handle.open().chat.outbox.retry(id),
    cancel: (id) => handle.open().chat.outbox.cancel(id),
  }
  return { view: viewIn(handle, ({ chat }) => chat.outbox, nothingOutgoing), actions }
}

/** Who is online. @param users of whom; all, if left out. The same names in a new array are no change. */
export const usePresence = (users?: readonly string[]): ReadonlyMap<string, Status> => {
  const handle = useChatHandle()
  const names = users && [...users].sort().join()
  const view = useMemo(() => presenceIn(handle, names), [handle, names])
  return useView(view, view.initial)
}

const nobody: ReadonlyMap<string, Status> = new Map()

const presenceIn = (handle: ChatHandle, names: string | undefined) => {
  const users = names === '' ? [] : names?.split(',')
  return viewIn(handle, ({ chat }) => chat.presence(users), nobody)
}

/** How the client is connected. */
export const useClientState = (): ClientState => {
  const handle = useChatHandle()
  const view = useMemo(() => stateIn(handle), [handle])
  return useView(view, view.initial)
}

const idle: ClientState = { status: 'idle' }

const stateIn = (handle: ChatHandle) => {
  const stateOf = ({ client }: OpenChat): View<ClientState> => ({
    getSnapshot: () => client.state,
    subscribe: client.onState,
  })
  return viewIn(handle, stateOf, idle)
}
