import type { ChatError, ChatMessage, ConversationSnapshot } from '@parley/client'
import type { Ref } from 'react'
import { DayLine, NewLine } from './message-row.tsx'
import { notesTitle } from './names.ts'
import { dayOf, dayWords } from './times.ts'

interface LogStartProps {
  ref: Ref<HTMLDivElement>
  title: string
  first: ChatMessage | null
  isFirstUnread: boolean
  today: number
  hasOlder: boolean
  loading: ConversationSnapshot['loading']
  isConnected: boolean
  error: ChatError | null
  onRetry(): void
}

/** What stands above the first message: that there are more, or that it is the first of all. */
export const LogStart = ({
  ref,
  title,
  first,
  isFirstUnread,
  today,
  hasOlder,
  loading,
  isConnected,
  error,
  onRetry,
}: LogStartProps) => (
  <div className="log-start">
    <div ref={ref}>
      {error ? (
        <p role="alert">
          Older messages could not be read. {error.message}{' '}
          <button type="button" className="small" onClick={onRetry}>
            Try again
          </button>
        </p>
      ) : isUnknown(first, loading) ? (
        <p className="facts">{isConnected ? 'Loading older messages…' : 'Older messages come with the connection.'}</p>
      ) : hasOlder ? (
        <p className="facts">{loading ? 'Loading older messages…' : 'Older messages'}</p>
      ) : (
        <p className="facts">
          {first ? `This is where ${aboutOf(title)} begins.` : `Nothing here yet. ${inviteOf(title)}`}
        </p>
      )}
      {first && !hasOlder && !isUnknown(first, loading) && <DayLine words={dayWords(dayOf(first.sentAt), today)} />}
      {isFirstUnread && <NewLine />}
    </div>
  </div>
)

/** Nothing of the conversation was read yet: what is shown waits to be sent. */
const isUnknown = (first: ChatMessage | null, loading: ConversationSnapshot['loading']) =>
  loading === 'newest' && !first?.seq

const isNotes = (title: string) => title === notesTitle
const aboutOf = (title: string) => (isNotes(title) ? 'what you noted' : `your conversation with ${title}`)
const inviteOf = (title: string) => (isNotes(title) ? 'What do you want to remember?' : `Say hello to ${title}.`)
