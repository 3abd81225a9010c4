import type { PanelDocument } from '../../panel/document.ts'
import { Column } from './column.tsx'
import type { Identities } from './identities.ts'
import type { Identity } from './identity.ts'
import { ProcedureList } from './procedure-list.tsx'
import { useStore } from './store.ts'

/** All of the panel: the procedures, and beside them the places of those who call them. */
export const Page = ({ document, identities }: { document: PanelDocument; identities: Identities }) => {
  const { list, active } = useStore(identities.store)
  return (
    <div className="page">
      <header className="top">
        <h1>
          {document.title} <span>panel</span>
        </h1>
        <nav className="tabs" aria-label="Identities">
          {list.map((identity) => (
            <Tab
              key={identity.key}
              identity={identity}
              isActive={identity === active}
              onActivate={() => identities.activate(identity)}
            />
          ))}
        </nav>
        {document.links.map(({ label, href }) => (
          <a key={href} href={href}>
            {label}
          </a>
        ))}
        <button type="button" onClick={identities.add}>
          Add identity
        </button>
      </header>
      <ProcedureList document={document} active={active} />
      <main className="columns" data-count={list.length}>
        {list.map((identity, i) => (
          <Column
            key={identity.key}
            document={document}
            identity={identity}
            hue={i % 4}
            isActive={identity === active}
            onActivate={() => identities.activate(identity)}
            onRemove={list.length > 1 ? () => identities.remove(identity) : null}
          />
        ))}
      </main>
    </div>
  )
}

/** Where there is room for one place only, the others are behind these. */
const Tab = ({ identity, isActive, onActivate }: { identity: Identity; isActive: boolean; onActivate(): void }) => {
  const { name, connection } = useStore(identity.store)
  return (
    <button type="button" aria-current={isActive ? 'true' : undefined} onClick={onActivate}>
      <span className={`dot ${connection.status}`} aria-hidden="true" />
      {name ?? 'Not signed in'}
    </button>
  )
}
