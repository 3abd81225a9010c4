import type { PanelDocument } from '../../panel/document.ts'
import type { Identity } from './identity.ts'
import { useStore } from './store.ts'
import type { ConnectionState } from './wire/connection.ts'

const connectionWords = (state: ConnectionState): string => {
  switch (state.status) {
    case 'idle':
      return 'Not connected'
    case 'connecting':
      return 'Connecting'
    case 'open':
      return 'Connected'
    case 'lost':
      return `Lost, trying again: ${state.why}`
    case 'cut':
      return 'Cut by you'
    case 'refused':
      return `Closed by the server: ${state.why}`
  }
}

/** Who this place belongs to, and how she is connected. */
export const IdentityBar = ({
  document,
  identity,
  titleId,
  onRemove,
}: {
  document: PanelDocument
  identity: Identity
  titleId: string
  onRemove: (() => void) | null
}) => {
  const { name, token, connection } = useStore(identity.store)
  const { status } = connection
  const isConnected = status === 'open' || status === 'connecting' || status === 'lost'
  return (
    <header className="identity">
      <span className="avatar" aria-hidden="true">
        {name?.slice(0, 1).toUpperCase() ?? '?'}
      </span>
      <div className="who">
        <h2 id={titleId}>{name ?? 'Not signed in'}</h2>
        <p className="connection" role="status" aria-label={`Connection of ${name ?? 'this identity'}`}>
          <span className={`dot ${status}`} aria-hidden="true" />
          {connectionWords(connection)}
        </p>
      </div>
      <div className="buttons">
        {isConnected ? (
          <button type="button" className="small" onClick={identity.cut}>
            Cut connection
          </button>
        ) : (
          status !== 'refused' && (
            <button type="button" className="small" onClick={identity.connect}>
              {status === 'cut' ? 'Reconnect' : 'Connect'}
            </button>
          )
        )}
        {token !== null && (
          <button type="button" className="quiet small" onClick={() => void identity.signOut()}>
            Sign out
          </button>
        )}
        {onRemove && (
          <button type="button" className="quiet small" onClick={onRemove}>
            Close<span className="unseen"> the place of {name ?? 'nobody'}</span>
          </button>
        )}
      </div>
      {token === null && document.signIn.length > 0 && (
        <p className="sign-in">
          <span className="facts">To act as somebody:</span>
          {document.signIn.map(({ path }) => (
            <button type="button" key={path} className="quiet small" onClick={() => identity.open({ path })}>
              {path}
            </button>
          ))}
        </p>
      )}
    </header>
  )
}
