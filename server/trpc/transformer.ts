import { TRPCError } from '@trpc/server'
import superjson, { type SuperJSONResult } from 'superjson'

/** A tree deeper than this, or with a loop in it, is left to superjson. */
const depthMax = 16

/**
 * Finds the dates in what is otherwise plain JSON. @returns false where there is something else, which JSON alone would
 * lose: undefined, NaN, a Map, an instance of some class ...
 */
const collectDates = (value: unknown, path: string, dates: Record<string, ['Date']>, depth: number): boolean => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      break
    default:
      return false
  }
  if (value === null) return true
  if (depth > depthMax) return false
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (!collectDates(value[i], path === '' ? `${i}` : `${path}.${i}`, dates, depth + 1)) return false
    }
    return true
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Date.prototype) {
    if (path === '' || Number.isNaN((value as Date).getTime())) return false
    dates[path] = ['Date']
    return true
  }
  if (prototype !== Object.prototype) return false
  for (const key in value) {
    // Superjson escapes such keys in its paths.
    if (key.includes('.') || key.includes('\\') || key === '__proto__') return false
    const next = (value as Record<string, unknown>)[key]
    if (!collectDates(next, path === '' ? key : `${path}.${key}`, dates, depth + 1)) return false
  }
  return true
}

/**
 * What superjson writes, without its walk where the value is plain JSON with dates, as all that this server sends is:
 * JSON itself writes a date as superjson does, so only their places are to be found. It took a tenth of the server's
 * time at full load.
 */
const serialize = (value: unknown): SuperJSONResult => {
  const dates: Record<string, ['Date']> = {}
  if (!collectDates(value, '', dates, 0)) return superjson.serialize(value)
  const json = value as SuperJSONResult['json']
  for (const _ in dates) return { json, meta: { values: dates, v: 1 } }
  return { json }
}

/**
 * Dates and `undefined` are all that an input of ours can hold beside plain JSON. Superjson would also make what nobody
 * asked for: a 100-byte frame can name a typed array of 4 GB.
 */
const inputTypes = new Set(['Date', 'undefined'])

const deserialize = (sent: unknown): unknown => {
  const { json, meta } = (sent ?? {}) as Partial<SuperJSONResult>
  if (meta === undefined) return json
  if (!isTypedOnlyBy(inputTypes, meta.values)) {
    throw new TRPCError({ code: 'BAD_REQUEST', message: 'Of the types beyond JSON only Date and undefined are taken.' })
  }
  return superjson.deserialize({ json: json as SuperJSONResult['json'], meta: { values: meta.values } })
}

/** The annotations are a tree whose leaves are names of types; whatever else they are is not taken. */
const isTypedOnlyBy = (types: Set<string>, annotations: unknown): boolean => {
  if (annotations === undefined) return true
  if (typeof annotations === 'string') return types.has(annotations)
  if (typeof annotations !== 'object' || annotations === null) return false
  return Object.values(annotations).every((below) => isTypedOnlyBy(types, below))
}

/** Superjson on the wire; every client that speaks superjson fits. */
export const transformer = {
  input: { serialize: superjson.serialize, deserialize },
  output: { serialize, deserialize: superjson.deserialize },
}
