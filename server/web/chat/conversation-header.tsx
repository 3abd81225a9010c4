import type { Chat } from '@parley/client'
import { Avatar } from './avatar.tsx'
import { BackIcon } from './icons.tsx'
import { peerOf } from './names.ts'
import { goToList } from './route.ts'
import { lastSeenWords, useToday } from './times.ts'
import { useWhoIsOnline } from './who-is-online.ts'

interface ConversationHeaderProps {
  chat: Chat
  id: string
  title: string
  isConnected: boolean
}

export const ConversationHeader = ({ chat, id, title, isConnected }: ConversationHeaderProps) => {
  const peer = peerOf(id, chat.userId)
  const today = useToday()
  const status = useWhoIsOnline(chat, peer === null ? [] : [peer]).get(peer ?? '')
  const isOnline = isConnected && status?.status === 'online'
  const lastSeenAt = isConnected && status?.status === 'offline' ? status.lastSeenAt : null
  return (
    <header className="talk-header">
      <button type="button" className="quiet round back" onClick={goToList}>
        <BackIcon />
        <span className="unseen">Back to the conversations</span>
      </button>
      <Avatar id={peer ?? id} name={title} isOnline={isOnline} />
      <div className="who">
        <h2 tabIndex={-1} dir="auto">
          {title}
        </h2>
        <p className="facts">
          {factsOf(peer === title ? null : peer, isOnline ? 'online' : lastSeenAt && lastSeenWords(lastSeenAt, today))}
        </p>
      </div>
    </header>
  )
}

/** The id where it says more than the name, and when somebody is there. */
const factsOf = (userId: string | null, presence: string | null): string =>
  [userId, presence].filter(Boolean).join(' · ')
