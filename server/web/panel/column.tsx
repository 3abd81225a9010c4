import { useId, useState } from 'react'
import type { PanelDocument } from '../../panel/document.ts'
import { AnswerBody, duration, OutcomePill, timeOfDay } from './answer.tsx'
import { Editor } from './editor.tsx'
import { Fallible } from './fallible.tsx'
import { withSecretsNamed } from './form/values.ts'
import type { CallRecord, Identity } from './identity.ts'
import { IdentityBar } from './identity-bar.tsx'
import { LiveLog } from './live-log.tsx'
import { ProcedurePicker } from './procedure-picker.tsx'
import { useScrolledIntoView } from './scrolled-into-view.ts'
import { useStore } from './store.ts'
import { Tree } from './tree.tsx'

/** The place of one identity: who she is, the call at hand, what she follows, what she called before. */
export const Column = ({
  document,
  identity,
  hue,
  isActive,
  onActivate,
  onRemove,
}: {
  document: PanelDocument
  identity: Identity
  /** Tells the places apart at a glance. */
  hue: number
  isActive: boolean
  onActivate(): void
  onRemove: (() => void) | null
}) => {
  const { name, path, calls, subscriptions } = useStore(identity.store)
  const id = useId()
  const procedure = document.procedures.find((procedure) => procedure.path === path)
  const following = useScrolledIntoView(subscriptions[0]?.id)

  return (
    <section
      className="column"
      id={identity.key}
      data-active={isActive}
      data-hue={hue}
      aria-labelledby={`${id}-name`}
      onFocusCapture={onActivate}
      onPointerDownCapture={onActivate}
    >
      <IdentityBar document={document} identity={identity} titleId={`${id}-name`} onRemove={onRemove} />
      <div className="column-body">
        <div className="at-hand">
          {procedure ? (
            <Fallible of={procedure}>
              <Editor document={document} procedure={procedure} identity={identity} />
            </Fallible>
          ) : (
            <div className="card notice">
              <h3>There is no procedure “{path}” here</h3>
              <p>The link may be from another version of this server. Choose one of those that there are:</p>
              <ProcedurePicker document={document} identity={identity} path={path} />
            </div>
          )}
        </div>
        <section className="following" aria-labelledby={`${id}-live`} ref={following}>
          <h3 id={`${id}-live`} className="unseen">
            Subscriptions
          </h3>
          {subscriptions.length === 0 ? (
            <p className="card empty">
              {name === null ? 'Subscriptions' : `Subscriptions of ${name}`} go on in this place, live, while other
              procedures are called.
            </p>
          ) : (
            subscriptions.map((live) => (
              <Fallible key={live.id} of={live}>
                <LiveLog live={live} identity={identity} document={document} />
              </Fallible>
            ))
          )}
        </section>
        {calls.length > 0 && (
          <section className="earlier" aria-labelledby={`${id}-calls`}>
            <h3 id={`${id}-calls`}>Calls so far</h3>
            <ol>
              {calls.map((call) => (
                <li key={call.id}>
                  <Earlier call={call} document={document} identity={identity} />
                </li>
              ))}
            </ol>
          </section>
        )}
      </div>
    </section>
  )
}

const Earlier = ({ call, document, identity }: { call: CallRecord; document: PanelDocument; identity: Identity }) => {
  const { procedure, input, startedAt, outcome } = call
  const [isOpen, setIsOpen] = useState(false)
  return (
    <details className="earlier-call" onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>
        <time dateTime={startedAt.toISOString()}>{timeOfDay(startedAt)}</time>
        <code>{procedure.path}</code>
        <OutcomePill record={call} document={document} />
        {outcome && <span className="facts">{duration(outcome.ms)}</span>}
      </summary>
      {isOpen && (
        <>
          {input !== undefined && (
            <>
              <p className="facts">Input</p>
              <Tree value={withSecretsNamed(procedure.input, input)} />
            </>
          )}
          <p className="facts">Answer</p>
          <AnswerBody record={call} document={document} />
          <button
            type="button"
            className="quiet small"
            onClick={() => identity.open({ path: procedure.path, input, via: call.via })}
          >
            Use this input again
          </button>
        </>
      )}
    </details>
  )
}
