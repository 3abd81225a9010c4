import type { ConversationView } from '@parley/client'
import { useClientState, useView } from '@parley/client/react'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import type { Account } from './account.ts'
import { ConnectionBanner } from './connection-banner.tsx'
import { Conversation } from './conversation.tsx'
import { ConversationList } from './conversation-list.tsx'
import { focusComposer, focusConversations, focusMessages } from './focus.ts'
import { BubblesIcon } from './icons.tsx'
import { useInbox } from './inbox.ts'
import { membersOf, type NamedPerson, titleOf } from './names.ts'
import { NewConversation } from './new-conversation.tsx'
import { goToList, openAddress } from './route.ts'
import { SideHeader } from './side-header.tsx'
import { createValue } from './value.ts'

/** The list and, beside it or in its place, a conversation. */
export const ChatPage = ({ account, onSignOut }: { account: Account; onSignOut(): void }) => {
  const { chat, client, drafts } = account
  const address = useView(openAddress)
  const open = address === null ? null : chat.conversation(address)
  const [isStarting, setIsStarting] = useState(false)
  const { status } = useClientState()
  useFocusOnReturn(address)

  const onKeyDown = (event: KeyboardEvent) => {
    // Escape also ends what an input method is composing.
    if (event.key !== 'Escape' || event.defaultPrevented || event.nativeEvent.isComposing) return
    goToList()
  }
  return (
    <div className="chat" data-open={open !== null || undefined}>
      <div className="skips">
        <Skip to="the conversations" go={focusConversations} />
        {open && <Skip to="the messages" go={focusMessages} />}
        {open && <Skip to="writing" go={focusComposer} />}
      </div>
      <PageTitle account={account} view={open} />
      <ConnectionBanner client={client} />
      <section className="side" aria-label="Your conversations">
        <SideHeader account={account} onStart={() => setIsStarting(true)} onSignOut={onSignOut} />
        <ConversationList
          chat={chat}
          drafts={drafts}
          openId={open?.id ?? null}
          isConnected={status === 'live' || status === 'catchingUp'}
          onStart={() => setIsStarting(true)}
        />
      </section>
      <main className="talk" onKeyDown={onKeyDown}>
        {open ? <Conversation key={open.id} account={account} view={open} /> : <NothingOpen />}
      </main>
      {isStarting && <NewConversation client={client} userId={chat.userId} onClose={() => setIsStarting(false)} />}
    </div>
  )
}

const Skip = ({ to, go }: { to: string; go(): boolean }) => (
  <button type="button" onClick={go}>
    Go to {to}
  </button>
)

const NothingOpen = () => (
  <div className="nothing-open">
    <BubblesIcon />
    <p>Choose a conversation, or start a new one.</p>
  </div>
)

const nobody = createValue<{ people: readonly NamedPerson[] }>({ people: [] })

/** How much is unread, and where. It stands apart: each message changes it, and nothing else of the page. */
const PageTitle = ({ account: { chat }, view }: { account: Account; view: ConversationView | null }) => {
  const { people } = useView<{ people: readonly NamedPerson[] }>(view ?? nobody)
  const { entries, hasMore } = useInbox(chat)
  const unread = entries.reduce((sum, entry) => sum + entry.unread, 0)
  // Of the conversations that were not loaded yet nobody knows.
  const count = unread > 0 ? `(${unread}${hasMore ? '+' : ''}) ` : ''
  const listed = entries.find(({ id }) => id === view?.id)
  const title = view && (listed?.title ?? titleOf(membersOf(view.id, people), chat.userId))
  const open = title === null ? '' : `${title} · `
  useEffect(() => {
    document.title = `${count}${open}Parley`
  }, [count, open])
  useEffect(
    () => () => {
      document.title = 'Parley'
    },
    [],
  )
  return null
}

/** Whoever leaves a conversation is at its place in the list again. */
const useFocusOnReturn = (address: string | null) => {
  const before = useRef(address)
  useEffect(() => {
    if (before.current !== null && address === null) focusConversations()
    before.current = address
  }, [address])
}
