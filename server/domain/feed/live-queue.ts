import type { ChatEvent, Version } from '../../contract/index.ts'
import type { Audience, Bus, Gap, PublishedChange } from '../ports.ts'

/** A slower reader than this many changes loses them here and reads them from the store instead. */
const queueMax = 500

/** A change that the bus brought, with the event that all who hear of it share; null: it depends on who looks. */
export interface Arrival {
  change: PublishedChange
  event: ChatEvent | null
}

export interface LiveQueue extends Disposable {
  /** Hears these audiences as well. */
  listenTo(audiences: Audience[]): void
  /** What is next: a change; a gap: some may be missing, read the store; null: nothing has come. */
  take(): Arrival | Gap | null
  /** Resolves when something has come, or the signal was aborted. */
  arrival(): Promise<void>
  /** Makes the next `take()` a `gap`. */
  gap(): void
  /** The version of the newest change that came in, waiting here or taken. */
  newest(): Version
  /** Whether nothing is known to be missing before the changes that come. */
  isWhole(): boolean
}

/** Whose changes a queue takes: of some audiences, or of all. */
export type Listen = (onChange: (change: PublishedChange) => void, onGap: (gap: Gap) => void) => () => void

export const listenTo =
  (bus: Bus, audiences: Audience[]): Listen =>
  (onChange, onGap) =>
    bus.listen(audiences, onChange, onGap)

/** What the bus says, waiting in a short queue until it is taken. */
export const openLiveQueue = (
  bus: Bus,
  listen: Listen,
  eventOf: (change: PublishedChange) => ChatEvent | null,
  signal: AbortSignal,
): LiveQueue => {
  let arrived: Arrival[] = []
  let taking: Arrival[] = []
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
  const receive = (change: PublishedChange) => {
    newest = Math.max(newest, change.version)
    if (arrived.length >= queueMax) gap()
    else arrived.push({ change, event: eventOf(change) })
    rouse()
  }
  const unlisten = [listen(receive, gap)]
  signal.addEventListener('abort', rouse)

  return {
    listenTo: (audiences) => void unlisten.push(bus.listen(audiences, receive, gap)),
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
      const arrival = taking[taken]
      if (!arrival) return null
      taken++
      return arrival
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
      for (const end of unlisten) end()
      signal.removeEventListener('abort', rouse)
    },
  }
}
