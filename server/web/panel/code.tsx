import { useId, useState, useSyncExternalStore } from 'react'
import { CopyButton } from './copy-button.tsx'
import type { LiveSubscription } from './live.ts'
import { snippetsOf, type WrittenCall } from './snippets.ts'

const never = () => () => {}

/** The call in the words of a program: it follows the form while somebody types. */
export const Code = ({
  call,
  live,
  link,
}: {
  call: Omit<WrittenCall, 'cursor'>
  /** Where the procedure runs as a subscription already, the code goes on from there. */
  live: LiveSubscription | null
  link: () => string
}) => {
  const cursor = useSyncExternalStore(live?.store.subscribe ?? never, () => live?.store.get().cursor ?? null)
  const snippets = snippetsOf({ ...call, cursor })
  const [chosen, setChosen] = useState('')
  const snippet = snippets.find(({ label }) => label === chosen) ?? snippets[0]
  const id = useId()
  return (
    <details className="code">
      <summary>As code</summary>
      <fieldset className="choices">
        <legend className="unseen">Language</legend>
        {snippets.map(({ label }) => (
          <label key={label}>
            <input type="radio" name={id} checked={label === snippet?.label} onChange={() => setChosen(label)} />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      <pre>{snippet?.text}</pre>
      {snippet?.text.includes('TOKEN') && (
        <p className="facts">TOKEN is an environment variable: the token that signing in answers with.</p>
      )}
      <p className="buttons">
        <CopyButton label="Copy" what="the code" text={() => snippet?.text ?? ''} />
        <CopyButton label="Copy link" what="to this call" text={link} />
        <span className="facts">A link holds the input, never a token or a password.</span>
      </p>
    </details>
  )
}
