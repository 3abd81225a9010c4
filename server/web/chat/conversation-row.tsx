import { memo } from 'react'
import { Avatar } from './avatar.tsx'
import type { InboxEntry } from './inbox.ts'
import { Link } from './link.tsx'
import { deletedWords } from './message-row.tsx'
import { oneLine } from './one-line.ts'
import { Ticks } from './ticks.tsx'
import { exactWords, shortWords } from './times.ts'

interface ConversationRowProps {
  entry: InboxEntry
  userId: string
  /** What was written and not sent; empty: nothing. */
  draft: string
  isOnline: boolean
  isOpen: boolean
  isTabStop: boolean
  today: number
  onFocus(id: string): void
}

export const ConversationRow = memo((props: ConversationRowProps) => {
  const { entry, isOnline, isOpen, isTabStop, today, onFocus } = props
  const { id, address, title, peer, isAmbiguous, unread, last } = entry
  return (
    <Link
      to={address}
      className="row"
      aria-current={isOpen ? 'page' : undefined}
      tabIndex={isTabStop ? 0 : -1}
      onFocus={() => onFocus(id)}
    >
      <Avatar id={peer ?? id} name={title} isOnline={isOnline} />
      <span className="row-name" dir="auto">
        {title}
        {isAmbiguous && peer && <span className="facts"> {peer}</span>}
        {isOnline && <span className="unseen">, online</span>}
      </span>
      {last && (
        <time className="facts" dateTime={last.sentAt.toISOString()} title={exactWords(last.sentAt)}>
          {shortWords(last.sentAt, today)}
        </time>
      )}
      <Preview {...props} />
      {unread > 0 && (
        <span className="unread">
          {unread > 999 ? '999+' : unread}
          <span className="unseen"> unread</span>
        </span>
      )}
    </Link>
  )
})

const Preview = ({ entry: { last }, userId, draft }: ConversationRowProps) => {
  if (draft !== '') {
    return (
      <span className="preview" dir="auto">
        <span className="draft">Draft:</span> {oneLine(draft)}
      </span>
    )
  }
  if (!last) return <span className="preview" />
  return (
    <span className="preview" dir="auto">
      {last.status !== 'received' && last.deletedAt === null && <Ticks status={last.status} />}
      {last.status === 'received' && last.sender !== userId && <span className="unseen">{last.senderName}: </span>}
      {last.deletedAt === null ? oneLine(last.text) : <span className="tombstone">{deletedWords}</span>}
    </span>
  )
}
