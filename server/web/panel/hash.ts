import type { Json } from './json.ts'

export type Mode = 'form' | 'json'
/** How a query or a mutation travels; subscriptions always take the WebSocket. */
export type Via = 'http' | 'websocket'

/** A call as its address holds it. Who makes it is not in there, and no secret is. */
export interface SharedCall {
  path: string
  input: Json | undefined
  mode: Mode
  via: Via
}

/** Behind the `#`, which no server and no log ever gets: `history?input={...}&via=websocket`. */
export const writeHash = ({ path, input, mode, via }: SharedCall): string => {
  const query = new URLSearchParams()
  if (input !== undefined) query.set('input', JSON.stringify(input))
  if (mode === 'json') query.set('mode', mode)
  if (via === 'websocket') query.set('via', via)
  return `#${encodeURIComponent(path)}${query.size > 0 ? `?${query}` : ''}`
}

/** Null: no call is named. An input that is not JSON is left out: addresses get cut when they are passed on. */
export const readHash = (hash: string): SharedCall | null => {
  const [path = '', ...rest] = hash.replace(/^#/, '').split('?')
  if (path === '') return null
  const query = new URLSearchParams(rest.join('?'))
  return {
    path: decoded(path),
    input: parsed(query.get('input')),
    mode: query.get('mode') === 'json' ? 'json' : 'form',
    via: query.get('via') === 'websocket' ? 'websocket' : 'http',
  }
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const parsed = (text: string | null): Json | undefined => {
  if (text === null) return undefined
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
