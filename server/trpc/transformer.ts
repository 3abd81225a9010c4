import { TRPCError } from '@trpc/server'
import superjson, { type SuperJSONResult } from 'superjson'

/** A tree deeper than this, or with a loop in it, is left to superjson. */
const depthMax = 16

/** What JSON writes so that it reads the same. */
const isPlain = (value: unknown): boolean => {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  return typeof value === 'string' || typeof value === 'boolean' || value === null
}

/** Superjson escapes the others in its paths. */
const isPlainKey = (key: string): boolean => !key.includes('.') && !key.includes('\\') && key !== '__proto__'

type Dates = Record<string, ['Date']>

/**
 * Finds the dates in what is otherwise plain JSON. @returns false where there is something else, which JSON alone would
 * lose: undefined, NaN, a Map, an instance of some class ...
 */
const collectDates = (value: unknown, path: string, dates: Dates, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return isPlain(value)
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
    if (!isPlainKey(key)) return false
    const next = (value as Record<string, unknown>)[key]
    if (!collectDates(next, path === '' ? key : `${path}.${key}`, dates, depth + 1)) return false
  }
  return true
}

/** What superjson gives, without its walk where the value is plain JSON with dates, as all that this server sends is. */
const serialize = (value: unknown): SuperJSONResult => {
  const dates: Dates = {}
  if (!collectDates(value, '', dates, 0)) return superjson.serialize(value)
  const json = value as SuperJSONResult['json']
  for (const _ in dates) return { json, meta: { values: dates, v: 1 } }
  return { json }
}

interface Part {
  json: string
  dates: Dates
}

/**
 * Objects whose text is known: the message that answers its sender is the one in the events of all who follow, and
 * writing it was a third of the server's time at full load. Null: not to be written as JSON with dates. What is sent
 * must not change any more; the socket layer asks for that anyhow.
 */
const parts = new WeakMap<object, Part | null>()

const partOf = (value: object): Part | null => {
  const known = parts.get(value)
  if (known !== undefined) return known
  const dates: Dates = {}
  const part = collectDates(value, '', dates, 0) ? { json: JSON.stringify(withTexts(value, dates)), dates } : null
  parts.set(value, part)
  return part
}

/**
 * JSON writes a date as superjson does, but asks each for its `toJSON`, which takes as long as the rest of a message. Those
 * of a flat object are given to it as texts.
 */
const withTexts = (value: object, dates: Dates): object => {
  if (Array.isArray(value)) return value
  const flat: Record<string, unknown> = { ...value }
  for (const path in dates) {
    if (path.includes('.')) return value
    flat[path] = (flat[path] as Date).toISOString()
  }
  return flat
}

/** The text of `serialize(value)`, put together of parts that may be known already. */
const stringify = (value: unknown): string => {
  const part = isObject(value) ? (isTrackedEvent(value) ? trackedPart(value) : partOf(value)) : null
  if (!part) return JSON.stringify(serialize(value))
  for (const _ in part.dates) return `{"json":${part.json},"meta":{"values":${JSON.stringify(part.dates)},"v":1}}`
  return `{"json":${part.json}}`
}

interface TrackedEvent {
  id: string
  data: Record<string, unknown>
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** As tRPC sends what a subscription yields by `tracked`. */
const isTrackedEvent = (value: object): value is TrackedEvent =>
  'id' in value && 'data' in value && isObject(value.data) && Object.keys(value).length === 2

/** `{ id, data: { type: 'message', message } }`, with the message as a part. */
const trackedPart = ({ id, data }: TrackedEvent): Part | null => {
  const dates: Dates = {}
  let json = ''
  for (const key in data) {
    const value = data[key]
    if (!isPlainKey(key)) return null
    const part = isObject(value) ? partOf(value) : isPlain(value) ? { json: JSON.stringify(value), dates: {} } : null
    if (!part) return null
    json += `${json === '' ? '' : ','}${JSON.stringify(key)}:${part.json}`
    for (const path in part.dates) dates[`data.${key}.${path}`] = ['Date']
  }
  return { json: `{"id":${JSON.stringify(id)},"data":{${json}}}`, dates }
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
  output: { serialize, stringify, deserialize: superjson.deserialize },
}
