import type { Chat } from '@parley/client'
import { useOutbox } from '@parley/client/react'
import { useState } from 'react'
import { Avatar } from './avatar.tsx'
import { LeaveIcon, PencilIcon } from './icons.tsx'
import type { SavedSession } from './saved-session.ts'

interface SideHeaderProps {
  session: SavedSession
  chat: Chat
  onStart(): void
  onSignOut(): void
}

/** Whose page it is, and what she can do whatever is open. */
export const SideHeader = ({ session: { username, displayName }, chat, onStart, onSignOut }: SideHeaderProps) => {
  const unsent = useOutbox(chat).length
  const [isAsked, setIsAsked] = useState(false)
  return (
    <header className="side-header">
      <Avatar name={displayName} />
      <div className="who">
        <h1 dir="auto">{displayName}</h1>
        {displayName !== username && <p className="facts">{username}</p>}
      </div>
      <button type="button" className="quiet round new" title="New conversation" onClick={onStart}>
        <PencilIcon />
        <span className="unseen">New conversation</span>
      </button>
      <button
        type="button"
        className="quiet round"
        title="Sign out"
        aria-expanded={unsent > 0 ? isAsked : undefined}
        onClick={() => (unsent > 0 ? setIsAsked(!isAsked) : onSignOut())}
      >
        <LeaveIcon />
        <span className="unseen">Sign out</span>
      </button>
      {isAsked && unsent > 0 && (
        <div className="ask" role="alert">
          <p>
            {unsent === 1 ? 'One message has' : `${unsent} messages have`} not been sent. Kept on this device, to be
            sent when you sign in again.
          </p>
          <button type="button" className="small" onClick={() => setIsAsked(false)}>
            Stay
          </button>
          <button type="button" className="small" onClick={onSignOut}>
            Sign out
          </button>
        </div>
      )}
    </header>
  )
}
