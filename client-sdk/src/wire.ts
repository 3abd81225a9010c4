import superjson from 'superjson'
import type { ErrorShape } from '../../server/trpc/errors.ts'

/** tRPC's frames, as this client writes and reads them. */
export const writeConnectionParams = (token: string | null): string =>
  JSON.stringify({ method: 'connectionParams', data: token === null ? null : { token } })

export const writeRequest = (
  id: number,
  method: 'query' | 'mutation' | 'subscription',
  path: string,
  input: unknown,
  lastEventId?: string,
): string => JSON.stringify({ id, method, params: { path, input: superjson.serialize(input), lastEventId } })

export const writeStop = (id: number): string => JSON.stringify({ id, method: 'subscription.stop' })

export type Answer =
  | { id: number; type: 'error'; error: ErrorShape }
  | { id: number; type: 'data'; data: unknown }
  | { id: number; type: 'started' | 'stopped' }

/** What concerns the connection rather than a call. */
export type Notice =
  /** The server goes; come back to another. */
  { id: null; type: 'reconnect' } | { id: null; type: 'error'; error: ErrorShape }

export const readFrame = (text: string): Answer | Notice | null => {
  const frame = JSON.parse(text)
  if (frame.method === 'reconnect') return { id: null, type: 'reconnect' }
  if (frame.error) return { id: frame.id, type: 'error', error: superjson.deserialize<ErrorShape>(frame.error) }
  const type = frame.result?.type
  if (type === 'data') return { id: frame.id, type, data: superjson.deserialize(frame.result.data) }
  return type === 'started' || type === 'stopped' ? { id: frame.id, type } : null
}
