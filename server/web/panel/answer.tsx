import type { PanelDocument } from '../../panel/document.ts'
import { CopyButton } from './copy-button.tsx'
import type { CallRecord } from './identity.ts'
import { issuesOf, kindOf, wordsOf } from './issues.ts'
import { isObject } from './json.ts'
import { Tree } from './tree.tsx'
import type { Failure } from './wire/failure.ts'

export const duration = (ms: number): string =>
  ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`

export const timeOfDay = (date: Date): string =>
  `${date.toLocaleTimeString('en-GB')}.${String(date.getMilliseconds()).padStart(3, '0')}`

/** The state of a call in a word and a colour. */
export const OutcomePill = ({ record, document }: { record: CallRecord; document: PanelDocument }) => {
  const { outcome } = record
  if (outcome === null) return <span className="pill waiting">under way</span>
  if (outcome.failure) return <span className="pill bad">{kindOf(outcome.failure, document.errors.kind)}</span>
  return <span className="pill good">ok</span>
}

/** What came of a call in one line. */
export const AnswerHead = ({ record, document }: { record: CallRecord; document: PanelDocument }) => {
  const { outcome, via, startedAt } = record
  return (
    <>
      <OutcomePill record={record} document={document} />
      {outcome && <strong>{duration(outcome.ms)}</strong>}
      <span className="facts">
        {via === 'http' ? 'HTTP' : 'WebSocket'} · {timeOfDay(startedAt)}
      </span>
    </>
  )
}

/** The answer itself, or the error. */
export const AnswerBody = ({ record, document }: { record: CallRecord; document: PanelDocument }) => {
  const { outcome } = record
  if (outcome === null) return null
  if (outcome.failure) return <FailureView failure={outcome.failure} document={document} />
  if (outcome.value === undefined) return <p className="facts">Nothing is answered.</p>
  return (
    <div className="answer">
      <Tree value={outcome.value} />
      <CopyButton label="Copy" what="the answer as JSON" text={() => JSON.stringify(outcome.value, null, 2)} />
    </div>
  )
}

/** An error in its own words, and all that it says of itself. */
export const FailureView = ({ failure, document }: { failure: Failure; document: PanelDocument }) => {
  const { errors } = document
  const words = wordsOf(failure)
  // Many servers put all of them into the message as well.
  const issues = Object.entries(issuesOf(failure, errors.issues)).filter(([, issue]) => !words.includes(issue))
  // The kind stands above, the stack of a server in development is long, and issues are told one by one.
  const told = [errors.kind, errors.issues, 'stack', 'zodError']
  const facts = Object.entries(failure.data).filter(([name]) => !told.includes(name))
  return (
    <div className="failure">
      <p className="failure-words">{words}</p>
      {issues.length > 0 && (
        <ul className="issues">
          {issues.map(([place, issue]) => (
            <li key={place}>
              {place !== '' && <code>{place}</code>} {issue}
            </li>
          ))}
        </ul>
      )}
      {facts.length > 0 && (
        <dl className="data">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}:</dt>
              <dd>{isObject(value) || Array.isArray(value) ? <Tree value={value} /> : String(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  )
}
