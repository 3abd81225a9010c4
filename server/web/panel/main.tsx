import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import type { PanelDocument } from '../../panel/document.ts'
import { followAddress } from './address.ts'
import { createIdentities } from './identities.ts'
import { Page } from './page.tsx'

const root = createRoot(document.getElementById('page') as HTMLElement)

/** The router's description lies beside the page, wherever that is mounted. */
const readDocument = async (): Promise<PanelDocument> => {
  const response = await fetch(`${location.pathname.replace(/\/$/, '')}/procedures.json`)
  if (!response.ok) throw new Error(`The server answered ${response.status} ${response.statusText}.`)
  return response.json() as Promise<PanelDocument>
}

const start = async () => {
  try {
    const description = await readDocument()
    document.title = `${description.title} panel`
    const identities = createIdentities(description)
    followAddress(description, identities)
    root.render(
      <StrictMode>
        <Page document={description} identities={identities} />
      </StrictMode>,
    )
  } catch (error) {
    root.render(<NotThere why={error instanceof Error ? error.message : String(error)} />)
  }
}

const NotThere = ({ why }: { why: string }) => (
  <main className="card notice" role="alert">
    <h1>The panel cannot read what the server offers</h1>
    <p>{why}</p>
    <button type="button" className="primary" onClick={() => void start()}>
      Try again
    </button>
  </main>
)

void start()
