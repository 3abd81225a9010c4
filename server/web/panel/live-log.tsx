import { useId, useState } from 'react'
import type { PanelDocument } from '../../panel/document.ts'
import { FailureView, timeOfDay } from './answer.tsx'
import type { Identity } from './identity.ts'
import { type LiveState, type LiveSubscription, type LogEntry, maxEntries } from './live.ts'
import { preview } from './preview.ts'
import { useStore } from './store.ts'
import { Tree } from './tree.tsx'

const statusWords: Record<LiveState['status'], string> = {
  starting: 'starting',
  live: 'live',
  waiting: 'waiting for the connection',
  stopped: 'stopped',
  failed: 'ended with an error',
}
const statusColour: Record<LiveState['status'], string> = {
  starting: 'waiting',
  live: 'good',
  waiting: 'waiting',
  stopped: 'neutral',
  failed: 'bad',
}

const pageSize = 50

/** A running subscription: what came, newest first, and where it would go on after a cut. */
export const LiveLog = ({
  live,
  identity,
  document,
}: {
  live: LiveSubscription
  identity: Identity
  document: PanelDocument
}) => {
  const { status, cursor, entries, count, failure } = useStore(live.store)
  const [filter, setFilter] = useState('')
  const [shown, setShown] = useState(pageSize)
  const id = useId()
  const isOver = status === 'stopped' || status === 'failed'
  const matching = filter === '' ? entries : entries.filter((entry) => textOf(entry).includes(filter.toLowerCase()))

  return (
    <section className="card live" aria-labelledby={`${id}-name`}>
      <header className="live-head">
        <h4 id={`${id}-name`}>{live.procedure.path}</h4>
        <span className={`pill ${statusColour[status]}`} role="status">
          {statusWords[status]}
        </span>
        <span className="facts">{count === 1 ? '1 event' : `${count} events`}</span>
        <span className="buttons">
          {isOver ? (
            <button type="button" className="quiet small" onClick={() => identity.dismiss(live)}>
              Remove<span className="unseen"> {live.procedure.path}</span>
            </button>
          ) : (
            <button type="button" className="small" onClick={live.stop}>
              Stop<span className="unseen"> {live.procedure.path}</span>
            </button>
          )}
        </span>
      </header>
      <p className="cursor">
        <span className="facts">Cursor</span>{' '}
        {cursor === null ? <span className="facts">none yet: no event was tracked</span> : <code>{cursor}</code>}
      </p>
      {failure && <FailureView failure={failure} document={document} />}
      <div className="live-filter">
        <label className="unseen" htmlFor={`${id}-filter`}>
          Only events with this text
        </label>
        <input
          id={`${id}-filter`}
          type="search"
          placeholder="Filter events"
          value={filter}
          autoComplete="off"
          onChange={({ target }) => setFilter(target.value)}
        />
        <button type="button" className="quiet small" disabled={entries.length === 0} onClick={live.clear}>
          Clear
        </button>
      </div>
      <div role="log" aria-label={`Events of ${live.procedure.path}, newest first`}>
        <ol className="log">
          {matching.slice(0, shown).map((entry) => (
            <li key={entry.n}>{entry.type === 'note' ? <Note {...entry} /> : <Event entry={entry} />}</li>
          ))}
        </ol>
      </div>
      {matching.length === 0 && (
        <p className="facts empty">{filter === '' ? 'No events yet.' : 'No event has this text.'}</p>
      )}
      {matching.length > shown && (
        <button type="button" className="quiet small" onClick={() => setShown(shown + pageSize)}>
          Show older ones
        </button>
      )}
      {count > maxEntries && <p className="facts">The newest {maxEntries} are kept.</p>}
    </section>
  )
}

const Note = ({ at, text }: { at: Date; text: string }) => (
  <p className="log-note">
    <time dateTime={at.toISOString()}>{timeOfDay(at)}</time> {text}
  </p>
)

/** Its tree is made when it is opened: there are many of them. */
const Event = ({ entry }: { entry: LogEntry & { type: 'event' } }) => {
  const [isOpen, setIsOpen] = useState(false)
  return (
    <details className="log-event" onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>
        <time dateTime={entry.at.toISOString()}>{timeOfDay(entry.at)}</time>
        <span className="log-preview">{preview(entry.value)}</span>
        {entry.id !== null && <code className="log-id">{entry.id}</code>}
      </summary>
      {isOpen && <Tree value={entry.value} />}
    </details>
  )
}

const texts = new WeakMap<LogEntry, string>()

/** What the filter looks at; written once for each event. */
const textOf = (entry: LogEntry): string => {
  const known = texts.get(entry)
  if (known !== undefined) return known
  const text = (entry.type === 'note' ? entry.text : `${entry.id ?? ''} ${JSON.stringify(entry.value)}`).toLowerCase()
  texts.set(entry, text)
  return text
}
