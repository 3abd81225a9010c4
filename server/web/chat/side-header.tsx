import { useOutbox } from '@parley/client/react'
import { useState } from 'react'
import type { Account } from './account.ts'
import { Avatar } from './avatar.tsx'
import { LeaveIcon, PencilIcon } from './icons.tsx'
import { OwnName, useOwnName } from './own-name.tsx'
import { countedWords } from './unsent.ts'

interface SideHeaderProps {
  account: Account
  onStart(): void
  onSignOut(): void
}

/** Whose page it is, and what she can do whatever is open. */
export const SideHeader = ({ account, onStart, onSignOut }: SideHeaderProps) => {
  const { chat } = account
  const name = useOwnName(account)
  const { outgoing } = useOutbox()
  const unsent = outgoing.length
  const [asked, setAsked] = useState<'name' | 'signOut' | null>(null)
  const toggle = (what: 'name' | 'signOut') => setAsked(asked === what ? null : what)
  return (
    <header className="side-header">
      <Avatar id={chat.userId} name={name} />
      <div className="who">
        <h1 dir="auto">
          <button
            type="button"
            className="quiet own-name"
            title="Change your name"
            aria-expanded={asked === 'name'}
            onClick={() => toggle('name')}
          >
            {name}
          </button>
        </h1>
        {name !== chat.userId && <p className="facts">{chat.userId}</p>}
      </div>
      <button type="button" className="quiet round new" title="New conversation" onClick={onStart}>
        <PencilIcon />
        <span className="unseen">New conversation</span>
      </button>
      <button
        type="button"
        className="quiet round"
        title="Sign out"
        aria-expanded={unsent > 0 ? asked === 'signOut' : undefined}
        onClick={() => (unsent > 0 ? toggle('signOut') : onSignOut())}
      >
        <LeaveIcon />
        <span className="unseen">Sign out</span>
      </button>
      {asked === 'name' && <OwnName account={account} onClose={() => setAsked(null)} />}
      {asked === 'signOut' && unsent > 0 && (
        <div className="ask" role="alert">
          <p>
            {countedWords(outgoing)} {unsent === 1 ? 'has' : 'have'} not been sent. Kept on this device, to be sent when
            you sign in again.
          </p>
          <button type="button" className="small" onClick={() => setAsked(null)}>
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
