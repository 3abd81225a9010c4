import type { ConversationView } from '@parley/client'
import { useClientState, useView } from '@parley/client/react'
import { useEffect, useRef } from 'react'
import type { Account } from './account.ts'
import { Announcements } from './announcements.tsx'
import { Composer } from './composer.tsx'
import { ConversationHeader } from './conversation-header.tsx'
import { canBeChanged, useEditing } from './editing.ts'
import { focusComposer, focusHeading, hasKeyboard } from './focus.ts'
import { MessageLog, type MessageLogHandle } from './message-log.tsx'
import { membersOf, notesTitle, titleOf } from './names.ts'
import { addressOf } from './route.ts'
import { useFirstUnread } from './unread.ts'

/** One conversation: who it is with, what was said, and what is being written. */
export const Conversation = ({ account, view }: { account: Account; view: ConversationView }) => {
  const { chat, client, drafts } = account
  const snapshot = useView(view)
  const { messages, people, loading, error } = snapshot
  const title = titleOf(membersOf(view.id, people), chat.userId)
  const { status } = useClientState()
  const isConnected = status === 'live' || status === 'catchingUp'
  const log = useRef<MessageLogHandle>(null)
  const firstUnread = useFirstUnread(view, isConnected)
  const { editing, begin, end } = useEditing(messages)

  const cannotBeRead = error !== null && loading === null && messages.length === 0
  useEffect(() => {
    if (cannotBeRead || !hasKeyboard() || !focusComposer()) focusHeading()
  }, [cannotBeRead])

  return (
    <>
      <ConversationHeader chat={chat} id={view.id} title={title} isConnected={isConnected} />
      {cannotBeRead ? (
        <CannotBeRead kind={error.kind} words={error.message} name={addressOf(view.id, chat.userId)} />
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
              client={client}
              view={view}
              snapshot={snapshot}
              firstUnread={firstUnread}
              title={title}
              isConnected={isConnected}
              editingKey={editing?.message.key ?? null}
              onEdit={begin}
            />
          )}
          <Announcements conversationId={view.id} messages={messages} isReady={firstUnread !== undefined} />
          <Composer
            label={title === notesTitle ? 'Note to yourself' : `Message to ${title}`}
            draft={drafts.of(view.id)}
            onDraft={(text) => drafts.set(view.id, text)}
            onSend={(text) => {
              view.send(text)
              log.current?.toBottom()
            }}
            editing={editing}
            onEditLast={() => {
              const last = messages.findLast(canBeChanged)
              if (last) {
                begin(last)
                log.current?.show(last.key)
              }
              return last !== undefined
            }}
            onSave={({ key }, text) => void view.edit(key, text)}
            onCancelEdit={end}
          />
        </>
      )}
    </>
  )
}

const CannotBeRead = ({ kind, words, name }: { kind: string; words: string; name: string }) => (
  <div className="nothing-open" role="alert">
    <p>
      {kind === 'unknownUser' && `There is nobody with the id “${name}” here.`}
      {kind === 'notMember' && 'You are not part of this conversation.'}
      {kind === 'invalidInput' && 'There is no such conversation.'}
      {!['unknownUser', 'notMember', 'invalidInput'].includes(kind) && words}
    </p>
  </div>
)
