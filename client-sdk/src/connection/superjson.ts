/**
 * What superjson writes and reads of the types that the contract knows beyond JSON: dates and undefined. The whole of it would
 * be a quarter of this package in a browser. A test holds it equal to the original.
 */
export interface Typed {
  json?: unknown
  meta?: { values?: Types; v?: number }
}
/** The type of the value itself, or of those below it by their paths. */
type Types = [type: string] | { [path: string]: Types }

export const serialize = (value: unknown): Typed => {
  const types: Record<string, [string]> = {}
  let whole: [string] | undefined
  const json = plain(value, [], (path, type) => {
    if (path.length === 0) whole = [type]
    else types[path.map((key) => key.replace(/[\\.]/g, '\\$&')).join('.')] = [type]
  })
  if (!whole && Object.keys(types).length === 0) return { json }
  return { json, meta: { values: whole ?? types, v: 1 } }
}

const plain = (value: unknown, path: string[], note: (path: string[], type: string) => void): unknown => {
  if (value === undefined) {
    note(path, 'undefined')
    return null
  }
  if (typeof value !== 'object' || value === null) return value
  if (isDate(value)) {
    if (Number.isNaN(value.getTime())) return null
    note(path, 'Date')
    return value.toISOString()
  }
  if (Array.isArray(value)) return value.map((item, i) => plain(item, [...path, `${i}`], note))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, [...path, key], note)]))
}

/** Also one of another frame's. */
const isDate = (value: object): value is Date => Object.prototype.toString.call(value) === '[object Date]'

/** A type that the contract does not know, as a newer server's may be, stays as JSON has it. */
export const deserialize = ({ json, meta }: Typed): unknown => (meta?.values ? typed(json, meta.values) : json)

const typed = (value: unknown, types: Types): unknown => {
  if (Array.isArray(types)) {
    if (types[0] === 'Date') return new Date(value as string)
    return types[0] === 'undefined' ? undefined : value
  }
  for (const [path, type] of Object.entries(types)) {
    const keys = keysOf(path)
    const last = keys.pop() as string
    const holder = keys.reduce(below, value)
    ;(holder as Record<string, unknown>)[last] = typed(below(holder, last), type)
  }
  return value
}

/** Only what was sent: a path may not lead into prototypes. */
const below = (value: unknown, key: string): unknown => {
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, key)) {
    return (value as Record<string, unknown>)[key]
  }
  throw new Error(`There is nothing at ${key}`)
}

/** Dots divide keys; one that belongs to a key stands behind a backslash, as does a backslash. */
const keysOf = (path: string): string[] => {
  const keys = ['']
  for (const [character] of path.matchAll(/\\?./gs)) {
    if (character === '.') keys.push('')
    else keys.push(keys.pop() + character.slice(-1))
  }
  return keys
}
