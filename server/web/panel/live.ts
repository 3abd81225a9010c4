import type { ProcedureDescription } from '../../panel/document.ts'
import type { Json } from './json.ts'
import { createStore, type Store } from './store.ts'
import type { SubscriptionHandlers } from './wire/connection.ts'
import { asFailure, type Failure } from './wire/failure.ts'

export type LogEntry =
  | { n: number; at: Date; type: 'event'; id: string | null; value: unknown }
  /** What happened to the subscription itself. */
  | { n: number; at: Date; type: 'note'; text: string }

export interface LiveState {
  status: 'starting' | 'live' | 'waiting' | 'stopped' | 'failed'
  /** The id of the last tracked event: where it goes on after a cut. */
  cursor: string | null
  /** Newest first, the newest `maxEntries`. */
  entries: LogEntry[]
  /** All events so far, also those that are no longer kept. */
  count: number
  failure: Failure | null
}

export interface LiveSubscription {
  id: number
  procedure: ProcedureDescription
  input: Json | undefined
  store: Store<LiveState>
  stop(): void
  clear(): void
}

export const maxEntries = 500

/** A subscription and its log. Events are shown once a frame, however many come. */
export const createLiveSubscription = (
  id: number,
  procedure: ProcedureDescription,
  input: Json | undefined,
  subscribe: (handlers: SubscriptionHandlers) => () => void,
): LiveSubscription => {
  const store = createStore<LiveState>({ status: 'starting', cursor: null, entries: [], count: 0, failure: null })
  let pending: LogEntry[] = []
  let unseen: Partial<LiveState> = {}
  let n = 0
  let isAsked = false

  const show = () => {
    isAsked = false
    const entries = [...pending.reverse(), ...store.get().entries].slice(0, maxEntries)
    store.set({ ...unseen, entries })
    pending = []
    unseen = {}
  }
  const change = (patch: Partial<LiveState>, entry?: LogEntry) => {
    Object.assign(unseen, patch)
    if (entry) pending.push(entry)
    // A page in the background is given no frames; what it would not show it need not keep.
    if (pending.length > maxEntries) pending.splice(0, pending.length - maxEntries)
    if (!isAsked) requestAnimationFrame(show)
    isAsked = true
  }
  const note = (text: string): LogEntry => ({ n: n++, at: new Date(), type: 'note', text })
  let count = 0
  let wasLive = false

  const handlers: SubscriptionHandlers = {
    onStarted(resumedFrom) {
      const again =
        resumedFrom === null ? 'Back, from the beginning: there is no cursor' : `Back, behind ${resumedFrom}`
      change({ status: 'live' }, note(wasLive ? again : 'Started'))
      wasLive = true
    },
    onData(value, eventId) {
      const entry: LogEntry = { n: n++, at: new Date(), type: 'event', id: eventId, value }
      change({ count: ++count, ...(eventId !== null && { cursor: eventId }) }, entry)
    },
    onLost: () => change({ status: 'waiting' }, note('The connection is gone')),
    onEnd: (failure) =>
      failure
        ? change({ status: 'failed', failure }, note('Ended with an error'))
        : change({ status: 'stopped' }, note('Stopped')),
  }
  let stop = () => {}
  try {
    stop = subscribe(handlers)
  } catch (thrown) {
    // The input cannot be sent at all.
    handlers.onEnd(asFailure(thrown))
  }

  return {
    id,
    procedure,
    input,
    store,
    stop,
    clear() {
      pending = []
      store.set({ entries: [] })
    },
  }
}
