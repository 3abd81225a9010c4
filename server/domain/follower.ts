import type { Version } from '../contract/index.ts'
import { stateOf } from './changes.ts'
import { openLiveQueue } from './feed/live-queue.ts'
import type { Change, Clock, Ports } from './ports.ts'

const pageSize = 500
/** The bus may lose a last change without a trace. */
const readAgainMs = 30_000
/** Changes of several nodes come in any order, so the store is read instead of what the bus brings, but not more often. */
const gatherMs = 1_000

/** A change and the version behind which to go on after a restart: everything up to it was given. */
export interface Followed {
  change: Change
  cursor: Version
}

/**
 * All changes after a version, whomever they concern, in the order of their versions, then whatever comes: what webhooks,
 * search and push stand on. Each is given at least once, at its latest state; within the overlap of the store one may come
 * again after a restart. It listens first, reads second, then goes on live.
 * @param after null: from now on
 */
export const followAll = ({ store, bus, clock }: Pick<Ports, 'store' | 'bus' | 'clock'>) =>
  async function* (after: Version | null, signal: AbortSignal): AsyncGenerator<Followed, void, undefined> {
    using queue = openLiveQueue(bus, bus.listenToAll, () => null, signal)
    let position = after ?? (await store.version())
    const given = createRecent(store.overlap)
    while (!signal.aborted) {
      const present = await store.version()
      for await (const page of store.allChanges(
        { after: position - store.overlap, upTo: Number.MAX_SAFE_INTEGER },
        pageSize,
      )) {
        for (const change of page) {
          if (!given.add(change)) continue
          position = Math.max(position, change.version)
          yield { change, cursor: position }
          if (signal.aborted) return
        }
      }
      position = Math.max(position, present)
      given.forget(position)
      const readAgain = deadline(clock, readAgainMs)
      for (
        let arrival = queue.take();
        typeof arrival !== 'string' && !readAgain.isOver() && !signal.aborted;
        arrival = queue.take()
      ) {
        if (arrival === null) await Promise.race([queue.arrival(), readAgain.over])
        else if (bus.shared) readAgain.within(gatherMs)
        else if (arrival.change.version > position && given.add(arrival.change)) {
          position = arrival.change.version
          yield { change: arrival.change, cursor: position }
        }
      }
      readAgain.cancel()
    }
  }

/** What was given lately, so that the overlap and late states repeat nothing. */
const createRecent = (overlap: Version) => {
  const states = new Map<string, Version>()
  return {
    /** @returns whether it is new */
    add(change: Change): boolean {
      const { key, version } = stateOf(change)
      if ((states.get(key) ?? 0) >= version) return false
      // Versions that are exact tell a repeat by themselves, but for a state that is later than its place in the order.
      if (overlap > 0 || version > change.version) states.set(key, version)
      return true
    },
    forget(position: Version): void {
      for (const [key, version] of states) if (version <= position - overlap) states.delete(key)
    },
  }
}

const deadline = (clock: Clock, ms: number) => {
  let isOver = false
  let end = () => {}
  const over = new Promise<void>((resolve) => {
    end = () => {
      isOver = true
      resolve()
    }
  })
  let timer = clock.setTimeout(end, ms)
  let isShortened = false
  return {
    over,
    isOver: () => isOver,
    within(ms: number) {
      if (isShortened) return
      isShortened = true
      timer.cancel()
      timer = clock.setTimeout(end, ms)
    },
    cancel: () => timer.cancel(),
  }
}
