import { useState } from 'react'
import type { PanelDocument, ProcedureDescription } from '../../panel/document.ts'
import { writeHash } from './hash.ts'
import type { Identity } from './identity.ts'
import { useStore } from './store.ts'

const kinds = [
  ['query', 'Queries'],
  ['mutation', 'Mutations'],
  ['subscription', 'Subscriptions'],
] as const

/** All that the router serves. Choosing one opens it in the active place. */
export const ProcedureList = ({ document, active }: { document: PanelDocument; active: Identity }) => {
  const { path: current } = useStore(active.store)
  const [sought, setSought] = useState('')
  const words = sought.trim().toLowerCase()
  const found = document.procedures.filter(({ path, description }) =>
    `${path} ${description ?? ''}`.toLowerCase().includes(words),
  )
  return (
    <nav className="procedures" aria-label="Procedures">
      <label className="unseen" htmlFor="sought">
        Find a procedure
      </label>
      <input
        id="sought"
        type="search"
        placeholder={`Find among ${document.procedures.length}`}
        value={sought}
        autoComplete="off"
        onChange={({ target }) => setSought(target.value)}
      />
      {kinds.map(([kind, title]) => {
        const these = found.filter((procedure) => procedure.kind === kind)
        if (these.length === 0) return null
        return (
          <section key={kind} aria-labelledby={`list-${kind}`}>
            <h2 id={`list-${kind}`} className={`kind ${kind}`}>
              {title}
            </h2>
            <ul>
              {these.map((procedure) => (
                <li key={procedure.path}>
                  <Entry procedure={procedure} isCurrent={procedure.path === current} active={active} />
                </li>
              ))}
            </ul>
          </section>
        )
      })}
      {found.length === 0 && (
        <p className="facts empty" role="status">
          {document.procedures.length === 0
            ? 'This router has no procedures.'
            : `Nothing is called or says “${sought}”.`}
        </p>
      )}
    </nav>
  )
}

const Entry = ({
  procedure: { path, description },
  isCurrent,
  active,
}: {
  procedure: ProcedureDescription
  isCurrent: boolean
  active: Identity
}) => (
  <a
    href={writeHash({ path, input: undefined, mode: 'form', via: 'http' })}
    aria-current={isCurrent ? 'true' : undefined}
    title={description ?? undefined}
    onClick={(event) => {
      // In a new tab it is a link like any other; here what was typed into its form before is kept.
      if (event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault()
      active.open({ path })
    }}
  >
    {path}
  </a>
)
