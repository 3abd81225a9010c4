import type { ProcedureType } from '@trpc/server/unstable-core-do-not-import'
import { maxIdLength } from './limits.ts'

export type RequestId = string | number

/** A request to a procedure. */
export interface Call {
  kind: 'call'
  id: RequestId
  /** Goes in front of every answer: `{"id":1,` */
  head: string
  type: ProcedureType
  path: string
  /** As it stands in the frame; from when the call runs, deserialised. */
  input: unknown
  lastEventId: string | undefined
  batchIndex: number
}
export interface Stop {
  kind: 'stop'
  id: RequestId
}
/** An entry that is no request; `head` names the id it should have been answered under, if it had a usable one. */
export interface Malformed {
  kind: 'malformed'
  head: string
  message: string
}
export type Entry = Call | Stop | Malformed

export const headWithoutId = '{"id":null,'

/** @throws when it is no JSON, or nests deeper than `maxDepth` */
export const parseJson = (text: string, maxDepth: number): unknown => {
  if (deeperThan(maxDepth, text)) throw new Error(`Nested deeper than ${maxDepth}`)
  return JSON.parse(text)
}

/** Whether JSON `text` nests deeper than `limit`. Parsing does not recurse, but what walks the value afterwards does.
 *  Strings are skipped with `indexOf`, so a long text costs next to nothing. Invalid JSON gets any answer. */
export const deeperThan = (limit: number, text: string): boolean => {
  if (text.length <= limit) return false
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 0x22) {
      at = endOfString(text, at)
      if (at < 0) return false
    } else if (char === 0x5b || char === 0x7b) {
      if (++depth > limit) return true
    } else if (char === 0x5d || char === 0x7d) depth--
  }
  return false
}

const endOfString = (text: string, start: number): number => {
  let end = text.indexOf('"', start + 1)
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

const isEscaped = (text: string, at: number): boolean => {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++
  return backslashes % 2 === 1
}

/** Reads one entry of a parsed frame, with the same checks and words as tRPC's own `parseTRPCMessage`, which throws the
 *  whole batch away for one bad entry. */
export const readEntry = (raw: unknown, batchIndex: number): Entry => {
  if (!isObject(raw)) return { kind: 'malformed', head: headWithoutId, message: 'Not an object' }
  const { id, jsonrpc, method, params } = raw
  if (id === null) return { kind: 'malformed', head: headWithoutId, message: '`id` is required' }
  if (!isRequestId(id)) return { kind: 'malformed', head: headWithoutId, message: 'Invalid request id' }

  const head = `{"id":${JSON.stringify(id)},${jsonrpc === '2.0' ? '"jsonrpc":"2.0",' : ''}`
  const malformed = (message: string): Malformed => ({ kind: 'malformed', head, message })
  if (jsonrpc !== undefined && jsonrpc !== '2.0') return malformed('Must be JSONRPC 2.0')
  if (method === 'subscription.stop') return { kind: 'stop', id }
  if (method !== 'query' && method !== 'mutation' && method !== 'subscription') {
    return malformed('Invalid procedure type')
  }
  if (!isObject(params)) return malformed('Not an object')
  const { path, input, lastEventId } = params
  if (typeof path !== 'string') return malformed('Invalid string')
  if (lastEventId !== undefined && typeof lastEventId !== 'string') return malformed('Invalid string')
  return { kind: 'call', id, head, type: method, path, input, lastEventId, batchIndex }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isRequestId = (id: unknown): id is RequestId =>
  typeof id === 'string' ? id.length <= maxIdLength : Number.isFinite(id)
