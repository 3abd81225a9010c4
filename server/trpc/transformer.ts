import { TRPCError } from '@trpc/server'
import superjson, { type SuperJSONResult } from 'superjson'

/** A tree deeper than this, or with a loop in it, is left to superjson. */
const depthMax = 16

/** What JSON writes so that it reads the same. */
const isPlain = (value: unknown): boolean => {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  return typeof value === 'string' || typeof value === 'boolean' || value === null
}

/** Superjson escapes some of the others in its paths and refuses others. */
const isPlainKey = (key: string): boolean => plainKeys.has(key) || isNewPlainKey(key)
const plainKeys = new Set<string>()
const isNewPlainKey = (key: string): boolean => {
  if (!/^[a-z][\w-]*$/i.test(key) || key === 'constructor' || key === 'prototype') return false
  if (plainKeys.size < 1_000) plainKeys.add(key)
  return true
}

/**
 * Finds the dates in what is otherwise plain JSON, and puts their paths behind `paths`. @returns false where there is
 * something else, which JSON alone would lose: undefined, NaN, a Map, an instance of some class ...
 */
const collectDates = (value: unknown, path: string, paths: string[], depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return isPlain(value)
  if (depth > depthMax) return false
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (!collectDates(value[i], path === '' ? `${i}` : `${path}.${i}`, paths, depth + 1)) return false
    }
    return true
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Date.prototype) {
    if (path === '' || Number.isNaN((value as Date).getTime())) return false
    paths.push(path)
    return true
  }
  if (prototype !== Object.prototype) return false
  for (const key in value) {
    if (!isPlainKey(key)) return false
    const next = (value as Record<string, unknown>)[key]
    if (!collectDates(next, path === '' ? key : `${path}.${key}`, paths, depth + 1)) return false
  }
  return true
}

/** What superjson gives, without its walk where the value is plain JSON with dates, as all that this server sends is. */
const serialize = (value: unknown): SuperJSONResult => {
  const paths: string[] = []
  if (!collectDates(value, '', paths, 0)) return superjson.serialize(value)
  const json = value as SuperJSONResult['json']
  if (paths.length === 0) return { json }
  return { json, meta: { values: Object.fromEntries(paths.map((path) => [path, ['Date']])), v: 1 } }
}

/** A text of JSON, and the paths of the dates in it. */
interface Part {
  json: string
  paths: string[]
}

/**
 * Objects whose text is known: the message that answers its sender is the one in the events of all who follow, and
 * writing it was a third of the server's time at full load. Null: not to be written as JSON with dates. What is sent
 * must not change any more; the socket layer asks for that anyhow.
 *
 * They are kept for this turn of the event loop and the next, in which events follow their answers. A WeakMap would do
 * without an end, but is walked by each garbage collection, and took a twentieth of the server's time.
 */
let parts = new Map<object, Part | null>()
let partsBefore = new Map<object, Part | null>()

const keepPart = (value: object, part: Part | null) => {
  if (parts.size === 0) setImmediate(forgetParts)
  parts.set(value, part)
}
const forgetParts = () => {
  partsBefore = parts
  parts = new Map()
  if (partsBefore.size > 0) setImmediate(forgetParts)
}

const partOf = (value: object): Part | null => {
  const known = parts.get(value) ?? partsBefore.get(value)
  if (known !== undefined) return known
  const paths: string[] = []
  const part = collectDates(value, '', paths, 0) ? { json: JSON.stringify(withTexts(value, paths)), paths } : null
  keepPart(value, part)
  return part
}

/**
 * JSON writes a date as superjson does, but asks each for its `toJSON`, which takes as long as the rest of a message. Those
 * of a flat object are given to it as texts.
 */
const withTexts = (value: object, paths: string[]): object => {
  if (paths.length === 0 || Array.isArray(value)) return value
  const flat: Record<string, unknown> = { ...value }
  for (const path of paths) {
    if (path.includes('.')) return value
    flat[path] = isoText(flat[path] as Date)
  }
  return flat
}

/** Many messages share a millisecond. */
let isoTime = Number.NaN
let iso = ''
const isoText = (date: Date): string => {
  const time = date.getTime()
  if (time !== isoTime) {
    iso = date.toISOString()
    isoTime = time
  }
  return iso
}

/** The text of `serialize(value)`, put together of parts that may be known already. */
const stringify = (value: unknown): string => {
  const part = isObject(value) ? (isTrackedEvent(value) ? trackedPart(value) : partOf(value)) : null
  if (!part) return JSON.stringify(serialize(value))
  if (part.paths.length === 0) return `{"json":${part.json}}`
  let dates = ''
  for (const path of part.paths) dates += `${dates === '' ? '' : ','}"${path}":["Date"]`
  return `{"json":${part.json},"meta":{"values":{${dates}},"v":1}}`
}

interface TrackedEvent {
  id: string
  data: Record<string, unknown>
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** As tRPC sends what a subscription yields by `tracked`. */
const isTrackedEvent = (value: object): value is TrackedEvent => {
  const [first, second, third] = Object.keys(value)
  if (first !== 'id' || second !== 'data' || third !== undefined) return false
  const { id, data } = value as TrackedEvent
  return typeof id === 'string' && isObject(data) && Object.getPrototypeOf(data) === Object.prototype
}

/** `{ id, data: { type: 'message', message } }`, with the message as a part. */
const trackedPart = ({ id, data }: TrackedEvent): Part | null => {
  const paths: string[] = []
  let json = ''
  for (const key in data) {
    const value = data[key]
    if (!isPlainKey(key)) return null
    const part = isObject(value) ? partOf(value) : isPlain(value) ? { json: JSON.stringify(value), paths: [] } : null
    if (!part) return null
    json += `${json === '' ? '' : ','}"${key}":${part.json}`
    for (const path of part.paths) paths.push(`data.${key}.${path}`)
  }
  return { json: `{"id":${JSON.stringify(id)},"data":{${json}}}`, paths }
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
