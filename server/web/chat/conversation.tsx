import type { ConversationView } from '@parley/client'
import { useClientState, useConversations, useView } from '@parley/client/react'
import { useEffect, useRef } from 'react'
import type { Account } from './account.ts'
import { Announcements } from './announcements.tsx'
import { Composer } from './composer.tsx'
import { ConversationHeader } from './conversation-header.tsx'
import { focusComposer, focusHeading, hasKeyboard } from './focus.ts'
import { MessageLog, type MessageLogHandle } from './message-log.tsx'
import { membersOf, titleOf } from './names.ts'
import { addressOf } from './place.ts'
import { useFirstUnread } from './unread.ts'

/** One conversation: who it is with, what was said, and what is being written. */
export const Conversation = ({ account, view }: { account: Account; view: ConversationView }) => {
  const { chat, client, drafts } = account
  const snapshot = useView(view)
  const { messages, loading, error } = snapshot
  const { conversations } = useConversations(chat)
  const members = conversations.find(({ id }) => id === view.id)?.members ?? membersOf(view.id)
  const title = titleOf(members, chat.username)
  const { status } = useClientState(client)
  const isConnected = status === 'live' || status === 'catchingUp'
  const log = useRef<MessageLogHandle>(null)
  const firstUnread = useFirstUnread(chat, view, isConnected)

  const cannotBeRead = error !== null && loading === null && messages.length === 0
  useEffect(() => {
    if (cannotBeRead || !hasKeyboard() || !focusComposer()) focusHeading()
  }, [cannotBeRead])

  return (
    <>
      <ConversationHeader chat={chat} id={view.id} title={title} isConnected={isConnected} />
      {cannotBeRead ? (
        <CannotBeRead kind={error.kind} words={error.message} name={addressOf(view.id, chat.username)} />
      ) : (
        <>
          {firstUnread === undefined ? (
            <div className="log-waiting" aria-busy="true">
              <p className="facts">{isConnected ? 'Loading…' : 'The messages come with the connection.'}</p>
            </div>
          ) : (
            <MessageLog
              ref={log}
              chat={chat}
              view={view}
              snapshot={snapshot}
              firstUnread={firstUnread}
              title={title}
              isConnected={isConnected}
            />
          )}
          <Announcements messages={messages} isReady={firstUnread !== undefined} />
          <Composer
            label={members.length === 1 ? 'Note to yourself' : `Message to ${title}`}
            draft={drafts.of(view.id)}
            onDraft={(text) => drafts.set(view.id, text)}
            onSend={(text) => {
              view.send(text)
              log.current?.toBottom()
            }}
          />
        </>
      )}
    </>
  )
}

const CannotBeRead = ({ kind, words, name }: { kind: string; words: string; name: string }) => (
  <div className="nothing-open" role="alert">
    <p>
      {kind === 'unknownUser' && `There is nobody called “${name}” here.`}
      {kind === 'notMember' && 'You are not part of this conversation.'}
      {kind === 'invalidInput' && 'There is no such conversation.'}
      {!['unknownUser', 'notMember', 'invalidInput'].includes(kind) && words}
    </p>
  </div>
)
