import type { Receipt, Username, Version } from '../contract/index.ts'
import type { Bus, BusEvent, Gap, StoredMessage } from './ports.ts'

export type Concerning = Exclude<BusEvent, { type: 'sessionEnded' }>
/** The same, as the bus or as the store tells it. */
export type Changed = { type: 'message'; message: StoredMessage } | { type: 'receipt'; receipt: Receipt }

/** A slower reader than this many events loses them here and reads them from the store instead. */
const queueMax = 500

export interface WakeUps extends Disposable {
  /** What is next: an event; a gap: some may be missing, read the store; null: nothing has come. */
  take(): Concerning | Gap | null
  /** Resolves when something has come, or the signal was aborted. */
  arrival(): Promise<void>
  /** Makes the next `take()` a `gap`. */
  gap(): void
  /** The version of the newest event that came in, waiting here or taken. */
  newest(): Version
  /** Whether nothing is known to be missing before the events that come. */
  isWhole(): boolean
}

/** What the bus says to one user, waiting in a short queue until it is taken. */
export const listenForWakeUps = (bus: Bus, username: Username, signal: AbortSignal): WakeUps => {
  let arrived: Concerning[] = []
  let taking: Concerning[] = []
  let taken = 0
  let isGap: Gap | null = null
  let newest = 0
  let wake: (() => void) | null = null

  const rouse = () => {
    wake?.()
    wake = null
  }
  const gap = (gap: Gap = 'gap') => {
    if (isGap !== 'oldGap') isGap = gap
    // What waits was committed before, so the store has it; whoever reads the store has no use for these copies.
    arrived = []
    taking = []
    taken = 0
    rouse()
  }
  const unlisten = bus.listen(
    username,
    (event) => {
      if (event.type === 'sessionEnded') return
      newest = Math.max(newest, versionOf(event))
      if (arrived.length >= queueMax) gap()
      else arrived.push(event)
      rouse()
    },
    gap,
  )
  signal.addEventListener('abort', rouse)

  return {
    take() {
      if (isGap) {
        const gap = isGap
        isGap = null
        return gap
      }
      if (taken === taking.length) {
        taking = arrived
        arrived = []
        taken = 0
      }
      const event = taking[taken]
      if (!event) return null
      taken++
      return event
    },
    arrival: () =>
      new Promise((resolve) => {
        if (signal.aborted || isGap || arrived.length > 0) resolve()
        else wake = resolve
      }),
    gap,
    newest: () => newest,
    isWhole: () => !isGap && bus.whole(),
    [Symbol.dispose]() {
      unlisten()
      signal.removeEventListener('abort', rouse)
    },
  }
}

export const versionOf = (event: Changed): Version =>
  event.type === 'message' ? event.message.version : event.receipt.version
