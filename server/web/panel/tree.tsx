import { type ReactNode, useState } from 'react'
import { Secret } from './form/values.ts'
import { preview } from './preview.ts'

/** So many of a long list are shown at a time. */
const pageSize = 50
const longText = 400

type Entries = [name: string, value: unknown][]

/** What is inside of a value, or null for one that has no inside. */
const entriesOf = (value: unknown): Entries | null => {
  if (typeof value !== 'object' || value === null || value instanceof Date) return null
  if (value instanceof Map) return Array.from(value, ([key, at]) => [String(key), at])
  if (value instanceof Set) return Array.from(value, (at, i) => [String(i), at])
  if (value instanceof RegExp || value instanceof URL || value instanceof Error || value instanceof Secret) return null
  return Object.entries(value)
}

/** Any value, to be opened and closed. Everything in it is text: what somebody stored cannot become markup. */
export const Tree = ({ value }: { value: unknown }) => {
  const entries = entriesOf(value)
  const hasInside = entries !== null && entries.length > 0
  return (
    <div className="tree">
      {hasInside && isList(value) && <div className="tree-size">{countWords(entries)}</div>}
      {hasInside ? <Inside entries={entries} depth={0} /> : <Node name={null} value={value} isOpen depth={0} />}
    </div>
  )
}

const Node = ({
  name,
  value,
  isOpen,
  depth,
}: {
  name: string | null
  value: unknown
  isOpen: boolean
  depth: number
}) => {
  const entries = entriesOf(value)
  const label = name !== null && <span className="tree-name">{name}:</span>
  if (entries === null || entries.length === 0) {
    return (
      <div className="tree-leaf">
        {label} <Leaf value={value} />
      </div>
    )
  }
  return <Branch label={label} value={value} entries={entries} isOpen={isOpen} depth={depth} />
}

/** Its inside is made when it is opened: an answer can be long. */
const Branch = ({
  label,
  value,
  entries,
  isOpen,
  depth,
}: {
  label: ReactNode
  value: unknown
  entries: Entries
  isOpen: boolean
  depth: number
}) => {
  const [open, setOpen] = useState(isOpen)
  return (
    <details className="tree-branch" open={open} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {label}{' '}
        {(!open || isList(value)) && (
          <span className="tree-size">{isList(value) ? countWords(entries) : preview(value)}</span>
        )}
      </summary>
      {open && (
        <div className="tree-inside">
          <Inside entries={entries} depth={depth + 1} />
        </div>
      )}
    </details>
  )
}

const isList = (value: unknown): boolean => Array.isArray(value) || value instanceof Set

const Inside = ({ entries, depth }: { entries: Entries; depth: number }) => {
  const [shown, setShown] = useState(pageSize)
  const rest = entries.length - shown
  return (
    <>
      {entries.slice(0, shown).map(([name, at]) => (
        <Node key={name} name={name} value={at} depth={depth} isOpen={depth === 0 || entries.length === 1} />
      ))}
      {rest > 0 && (
        <button type="button" className="quiet small" onClick={() => setShown(shown + pageSize)}>
          Show {Math.min(pageSize, rest)} more of {rest}
        </button>
      )}
    </>
  )
}

const countWords = (entries: Entries): string => (entries.length === 1 ? '1 item' : `${entries.length} items`)

const Leaf = ({ value }: { value: unknown }) => {
  const [isWhole, setIsWhole] = useState(false)
  if (value instanceof Date) {
    const isDate = !Number.isNaN(value.getTime())
    return isDate ? (
      <time className="tree-date" dateTime={value.toISOString()} title={value.toLocaleString()}>
        {value.toISOString()}
      </time>
    ) : (
      <span className="tree-date">Invalid date</span>
    )
  }
  if (typeof value === 'string') {
    const isLong = value.length > longText && !isWhole
    return (
      <span className="tree-text">
        {JSON.stringify(isLong ? value.slice(0, longText) : value)}
        {isLong && (
          <button type="button" className="quiet small" onClick={() => setIsWhole(true)}>
            … all {value.length} characters
          </button>
        )}
      </span>
    )
  }
  if (typeof value === 'object' && value !== null) {
    return <span className="tree-size">{Array.isArray(value) ? '[ ]' : entriesOf(value) ? '{ }' : String(value)}</span>
  }
  return <span className={`tree-${typeof value}`}>{typeof value === 'bigint' ? `${value}n` : String(value)}</span>
}
