import { ChatError } from '../../../server/contract/chat-error.ts'
import { maxFrameBytes } from '../../../server/contract/protocol.ts'
import type { ErrorShape } from '../../../server/trpc/errors.ts'
import { wordsOf } from './errors.ts'
import { deserialize, serialize } from './superjson.ts'

/** tRPC's frames, as this client writes and reads them. */
export const writeConnectionParams = (token: string | null): string =>
  JSON.stringify({ method: 'connectionParams', data: token === null ? null : { token } })

/** @throws ChatError `tooLarge`, `invalidInput` where the input is not what JSON, dates and undefined can be */
export const writeRequest = (
  id: number,
  method: 'query' | 'mutation' | 'subscription',
  path: string,
  input: unknown,
  lastEventId?: string,
): string => {
  const frame = written({ id, method, params: { path, input: serialize(input), lastEventId } })
  // A code unit takes at most three bytes; short frames need no counting.
  if (frame.length * 3 > maxFrameBytes && new TextEncoder().encode(frame).length > maxFrameBytes) {
    throw new ChatError('tooLarge')
  }
  return frame
}

const written = (frame: object): string => {
  try {
    return JSON.stringify(frame)
  } catch (cause) {
    throw new ChatError('invalidInput', { message: wordsOf(cause), cause })
  }
}

export const writeStop = (id: number): string => JSON.stringify({ id, method: 'subscription.stop' })

export type Answer =
  | { id: number; type: 'error'; error: ErrorShape }
  | { id: number; type: 'data'; data: unknown }
  | { id: number; type: 'started' | 'stopped' }

/** What concerns the connection rather than a call. */
export type Notice =
  /** The server goes; come back to another. */
  { id: null; type: 'reconnect' } | { id: null; type: 'error'; error: ErrorShape }

/** @returns null for what this version does not know. @throws what JSON or superjson throw */
export const readFrame = (text: string): Answer | Notice | null => {
  const frame = JSON.parse(text)
  if (frame.method === 'reconnect') return { id: null, type: 'reconnect' }
  if (frame.error) return { id: frame.id, type: 'error', error: deserialize(frame.error) as ErrorShape }
  const { type, id: eventId, event, data } = frame.result ?? {}
  // A tracked event over plain HTTP; over a WebSocket its id stands within the data as well.
  if (event) return { id: frame.id, type: 'data', data: { id: eventId, data: deserialize(event) } }
  if (type === 'data') return { id: frame.id, type, data: deserialize(data) }
  return type === 'started' || type === 'stopped' ? { id: frame.id, type } : null
}
