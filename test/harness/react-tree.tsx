import { type FormEvent, StrictMode, useEffect } from 'react'
import {
  type ChatHandle,
  ChatProvider,
  type OpenChat,
  type UseChatOptions,
  useChat,
  useClientState,
  useConversation,
  useConversations,
  useOutbox,
  usePresence,
} from '../../client-sdk/src/react.ts'

interface BobsPageProps extends UseChatOptions {
  onHandle?(handle: ChatHandle): void
}

/** Bob's page: all hooks of the SDK, on his conversation with Ada. */
export const BobsPage = (props: BobsPageProps) => (
  <StrictMode>
    <Opening {...props} />
  </StrictMode>
)

/** The same, on a chat that was opened elsewhere. */
export const PageOf = ({ chat }: { chat: ChatHandle | OpenChat }) => (
  <ChatProvider chat={chat}>
    <Connection />
    <Inbox />
    <Conversation />
  </ChatProvider>
)

const Opening = ({ onHandle, ...options }: BobsPageProps) => {
  const chat = useChat(options)
  useEffect(() => onHandle?.(chat), [onHandle, chat])
  return <PageOf chat={chat} />
}

const Connection = () => {
  const { outgoing } = useOutbox()
  const ada = usePresence(['ada']).get('ada')
  return (
    <p>
      <output id="state">{useClientState().status}</output>
      <output id="outgoing">{outgoing.length}</output>
      <output id="ada">{ada?.status ?? 'unknown'}</output>
    </p>
  )
}

const Inbox = () => {
  const { conversations, isLoading, loadMore } = useConversations()
  return (
    <nav aria-busy={isLoading}>
      {conversations.map(({ id, unread }) => (
        <output key={id}>{`${id}: ${unread} unread`}</output>
      ))}
      <button type="button" onClick={() => void loadMore()}>
        More
      </button>
    </nav>
  )
}

const Conversation = () => {
  const { id, messages, hasOlder, loading, send, edit, delete: remove, loadOlder, markRead } = useConversation('ada')
  // A child's effects come before those of the provider, which keeps the chat open.
  useEffect(() => {
    if (messages.length > 0) markRead()
  }, [messages, markRead])
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    send(String(new FormData(event.currentTarget).get('text')))
  }
  return (
    <main aria-label={id} aria-busy={loading !== null}>
      <button type="button" disabled={!hasOlder} onClick={() => void loadOlder()}>
        Older
      </button>
      {messages.map(({ key, text, deletedAt }) => (
        <div key={key}>
          <p className="message">{deletedAt ? 'deleted' : text}</p>
          <button type="button" onClick={() => edit(key, `${text}, edited`)}>
            Edit
          </button>
          <button type="button" onClick={() => remove(key)}>
            Delete
          </button>
        </div>
      ))}
      <form onSubmit={submit}>
        <input name="text" aria-label="Text" />
      </form>
    </main>
  )
}
