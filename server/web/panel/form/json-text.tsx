import { useState } from 'react'
import type { Json } from '../json.ts'

const parse = (text: string): { value: Json | undefined } | { problem: string } => {
  if (text.trim() === '') return { value: undefined }
  try {
    return { value: JSON.parse(text) as Json }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

const write = (value: Json | undefined): string => (value === undefined ? '' : JSON.stringify(value, null, 2))

/** A value as JSON. What is typed stays as it is while it is not JSON yet; nothing at all is nothing given. */
export const JsonText = ({
  id,
  value,
  describedBy,
  isInvalid = false,
  onChange,
  onProblem,
}: {
  id: string
  value: Json | undefined
  describedBy?: string | undefined
  isInvalid?: boolean
  onChange(value: Json | undefined): void
  onProblem?(problem: string | null): void
}) => {
  const [typed, setTyped] = useState(() => ({ text: write(value), means: value }))
  // Changed elsewhere, by the form or by a link: then that holds.
  const text = typed.means === value ? typed.text : write(value)
  const parsed = parse(text)
  const problem = 'problem' in parsed ? parsed.problem : null
  return (
    <div>
      <textarea
        id={id}
        className="json"
        rows={Math.min(Math.max(text.split('\n').length, 4), 16)}
        spellCheck={false}
        autoComplete="off"
        value={text}
        aria-describedby={[describedBy, problem && `${id}-json`].filter(Boolean).join(' ') || undefined}
        aria-invalid={isInvalid || problem !== null || undefined}
        onChange={({ target }) => {
          const next = parse(target.value)
          const means = 'problem' in next ? value : next.value
          setTyped({ text: target.value, means })
          onProblem?.('problem' in next ? next.problem : null)
          if (!('problem' in next)) onChange(next.value)
        }}
      />
      {problem !== null && (
        <p className="problem" id={`${id}-json`}>
          Not JSON yet: {problem}
        </p>
      )}
    </div>
  )
}
