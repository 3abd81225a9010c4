import type { Clock } from '../../domain/ports.ts'
import type { ChannelTimes } from './peers.ts'

/**
 * A node also hears what it publishes itself. How long ago the latest batch that came back was sent tells how late this
 * node hears the others, or whether it hears nobody any more.
 */
export const createEcho = (clock: Clock, { silentMs, stuckMs }: ChannelTimes) => {
  /** Own batches that have not come back yet. */
  let underWay: { number: number; sentAt: number }[] = []
  /** When the latest batch that came back was sent. */
  let heardOf = clock.now()
  let reconnectedAt = Number.NEGATIVE_INFINITY
  let onFirst = () => {}
  const first = new Promise<void>((resolve) => {
    onFirst = resolve
  })

  return {
    /** Resolves when a batch has come back for the first time. */
    first,
    sent(number: number) {
      underWay.push({ number, sentAt: clock.now() })
    },
    heard(number: number) {
      const back = underWay.findLastIndex((batch) => batch.number <= number)
      heardOf = underWay[back]?.sentAt ?? heardOf
      underWay = underWay.slice(back + 1)
      onFirst()
    },
    isRecent: () => clock.now() - heardOf <= silentMs,
    /** What is under way will not come back. */
    forget() {
      underWay = []
    },
    /** Whatever was heard says nothing any more; only a batch that is sent from now on does. */
    startOver() {
      underWay = []
      heardOf = clock.now() - silentMs - 1
    },
    /**
     * Whether nothing has come back for so long that the connections should be made anew; if so, not again for as long.
     * A peer that vanished without a word leaves connections on which nothing comes, for a quarter of an hour.
     */
    isStuck(): boolean {
      const now = clock.now()
      if (Math.abs(now - Math.max(heardOf, reconnectedAt)) <= stuckMs) return false
      reconnectedAt = now
      return true
    },
  }
}

export type Echo = ReturnType<typeof createEcho>
