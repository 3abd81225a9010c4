import { type FormEvent, useId, useMemo, useState } from 'react'
import type { PanelDocument, ProcedureDescription } from '../../panel/document.ts'
import { linkTo } from './address.ts'
import { AnswerBody, AnswerHead } from './answer.tsx'
import { Code } from './code.tsx'
import { ObjectFields } from './form/composite.tsx'
import { FormContext } from './form/context.ts'
import { Field } from './form/field.tsx'
import { JsonText } from './form/json-text.tsx'
import { shapeOf } from './form/schema.ts'
import type { Mode, Via } from './hash.ts'
import { type Identity, startOf } from './identity.ts'
import { type Issues, issuesOf } from './issues.ts'
import type { Json } from './json.ts'
import { ProcedurePicker } from './procedure-picker.tsx'
import { useScrolledIntoView } from './scrolled-into-view.ts'
import { useStore } from './store.ts'

const kindWords = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' } as const

/** One procedure to be called: what it is for, its input, and what came of the last call. */
export const Editor = ({
  document,
  procedure,
  identity,
}: {
  document: PanelDocument
  procedure: ProcedureDescription
  identity: Identity
}) => {
  const { inputs, mode, via, calls, subscriptions, token } = useStore(identity.store)
  const id = useId()
  /** The procedure whose input is being typed and is not JSON yet. */
  const [notJson, setNotJson] = useState<string | null>(null)
  const isNotJson = notJson === procedure.path
  const start = useMemo(() => startOf(procedure), [procedure])
  const input = Object.hasOwn(inputs, procedure.path) ? inputs[procedure.path] : start
  const last = calls.find((call) => call.procedure.path === procedure.path)
  const isUnderWay = last?.outcome === null
  // The one before stays until there is another: nothing jumps.
  const answered = calls.find((call) => call.procedure.path === procedure.path && call.outcome !== null)
  const isStream = procedure.kind === 'subscription'
  const failure = last?.outcome?.failure
  const issues = useMemo<Issues>(() => (failure ? issuesOf(failure, document.errors.issues) : {}), [failure, document])
  const live = subscriptions.find(({ procedure: { path } }) => path === procedure.path) ?? null
  const outcome = useScrolledIntoView(answered?.id)
  const setInput = (next: Json | undefined) => identity.setInput(procedure.path, next)

  const run = (event: FormEvent) => {
    event.preventDefault()
    if (isNotJson || isUnderWay) return
    if (isStream) identity.subscribe(procedure, input)
    else void identity.call(procedure, input, via)
  }

  return (
    <section className="card editor" aria-labelledby={`${id}-title`}>
      <header className="editor-head">
        <h3 id={`${id}-title`} className="unseen">
          {procedure.path}
        </h3>
        <ProcedurePicker document={document} identity={identity} path={procedure.path} />
        <span className={`kind ${procedure.kind}`}>{kindWords[procedure.kind]}</span>
      </header>
      {procedure.description !== null && <p className="about">{procedure.description}</p>}
      <form
        onSubmit={run}
        noValidate
        onKeyDown={(event) => {
          // From within a text of several lines as well, where Enter makes a line.
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run(event)
        }}
      >
        {procedure.input !== null && (
          <div className="toolbar">
            <Choices<Mode>
              legend="Input as"
              value={mode}
              options={[
                ['form', 'Form'],
                ['json', 'JSON'],
              ]}
              onChange={(next) => {
                setNotJson(null)
                identity.setMode(next)
              }}
            />
          </div>
        )}
        {procedure.input === null ? (
          <p className="facts">It takes no input.</p>
        ) : (
          <FormContext value={{ root: procedure.input, issues, prefix: id }}>
            {mode === 'json' ? (
              <div className="field">
                <label htmlFor={`${id}-json`}>Input as JSON</label>
                <JsonText
                  key={procedure.path}
                  id={`${id}-json`}
                  value={input}
                  onChange={setInput}
                  onProblem={(problem) => setNotJson(problem === null ? null : procedure.path)}
                />
              </div>
            ) : (
              <InputForm key={procedure.path} input={procedure.input} value={input} onChange={setInput} />
            )}
          </FormContext>
        )}
        <div className="run">
          <button type="submit" className="primary" aria-busy={isUnderWay} disabled={isNotJson}>
            {isStream ? 'Start' : 'Run'}
            <span className="unseen"> {procedure.path}</span>
          </button>
          {isStream ? (
            <span className="facts">over the WebSocket</span>
          ) : (
            <Choices<Via>
              legend="over"
              value={via}
              options={[
                ['http', 'HTTP'],
                ['websocket', 'WebSocket'],
              ]}
              onChange={identity.setVia}
            />
          )}
        </div>
      </form>
      {!isStream && (
        <div className="outcome" ref={outcome}>
          {/* Only this line is read out when it changes: an answer can be long. */}
          <div className="answer-head" role="status" aria-label={`Outcome of ${procedure.path}`}>
            {last ? <AnswerHead record={last} document={document} /> : <span className="facts">Not called yet.</span>}
          </div>
          {answered && <AnswerBody key={answered.id} record={answered} document={document} />}
        </div>
      )}
      <Code
        call={{ document, procedure, input, origin: location.origin, hasToken: token !== null }}
        live={live}
        link={() => linkTo(procedure, { input, mode, via })}
      />
    </section>
  )
}

/** The fields of the input itself need no frame of their own. */
const InputForm = ({
  input,
  value,
  onChange,
}: {
  input: NonNullable<ProcedureDescription['input']>
  value: Json | undefined
  onChange(value: Json | undefined): void
}) => {
  const shape = shapeOf({ schema: input, root: input })
  if (shape.kind !== 'object') {
    return <Field name="input" schema={input} path={[]} value={value} isRequired onChange={onChange} />
  }
  if (Object.keys(shape.properties).length === 0) return <p className="facts">Its input has no fields.</p>
  return <ObjectFields path={[]} value={value} onChange={onChange} {...shape} />
}

const Choices = <Value extends string>({
  legend,
  value,
  options,
  onChange,
}: {
  legend: string
  value: Value
  options: [Value, string][]
  onChange(value: Value): void
}) => {
  const name = useId()
  return (
    <fieldset className="choices">
      <legend>{legend}</legend>
      {options.map(([option, words]) => (
        <label key={option}>
          <input type="radio" name={name} checked={option === value} onChange={() => onChange(option)} />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  )
}
