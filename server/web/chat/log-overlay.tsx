import type { ChatMessage } from '@parley/client'
import { useView } from '@parley/client/react'
import type { VirtualizerHandle } from 'virtua'
import { DownIcon } from './icons.tsx'
import { dayOf, dayWords } from './times.ts'
import { createValue } from './value.ts'

/** How long the day stays in sight once scrolling stops. */
const dayMs = 1_200
/** From so far above the end on, there is a way back. */
const awayPx = 400

interface Place {
  /** Of the uppermost message in sight, while somebody scrolls. */
  day: number | null
  /** The end is out of sight. */
  isAway: boolean
  /** Messages of others that have come in below since. */
  missed: number
}

/** Where the reader is among the messages. It changes as she scrolls, without drawing the messages again. */
export const createLogPlace = () => {
  const place = createValue<Place>({ day: null, isAway: false, missed: 0 })
  /** The newest message when she was at the end last. */
  let seenSeq: number | null = null
  let lastOffset = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const put = (next: Place) => {
    const { day, isAway, missed } = place.getSnapshot()
    if (day !== next.day || isAway !== next.isAway || missed !== next.missed) place.set(next)
  }

  return {
    view: place,
    look(list: VirtualizerHandle | null, messages: readonly ChatMessage[], isAtEnd: boolean) {
      if (!list) return
      const { scrollOffset, scrollSize, viewportSize } = list
      const newest = newestSeq(messages)
      if (isAtEnd || seenSeq === null) seenSeq = newest
      const missed = isAtEnd ? 0 : countAfter(messages, seenSeq)
      const isAway = !isAtEnd && (missed > 0 || scrollSize - viewportSize - scrollOffset > awayPx)
      const isScrolling = Math.abs(scrollOffset - lastOffset) > 1 && !isAtEnd
      lastOffset = scrollOffset
      const top = messages[list.findItemIndex(Math.max(0, scrollOffset))]
      put({ day: isScrolling && top ? dayOf(top.sentAt) : place.getSnapshot().day, isAway, missed })
      if (isScrolling) clearTimeout(timer)
    },
    rest: () => {
      clearTimeout(timer)
      timer = setTimeout(() => put({ ...place.getSnapshot(), day: null }), dayMs)
    },
  }
}
export type LogPlace = ReturnType<typeof createLogPlace>

const newestSeq = (messages: readonly ChatMessage[]): number => messages.findLast(({ seq }) => seq !== null)?.seq ?? 0

const countAfter = (messages: readonly ChatMessage[], seen: number): number => {
  let count = 0
  for (let i = messages.length - 1; i >= 0; i--) {
    const { seq, status, deletedAt } = messages[i] as ChatMessage
    if (seq !== null && seq <= seen) break
    if (status === 'received' && deletedAt === null) count++
  }
  return count
}

/** Above the messages: which day it is up there, and the way back down. */
export const LogOverlay = ({ place, today, onToBottom }: { place: LogPlace; today: number; onToBottom(): void }) => {
  const { day, isAway, missed } = useView(place.view)
  return (
    <>
      {/* Each message has its time; this one is for the eye. */}
      <p className="log-day" data-shown={day !== null || undefined} aria-hidden="true">
        <span>{day !== null && dayWords(day, today)}</span>
      </p>
      {isAway && (
        <button type="button" className="to-bottom" onClick={onToBottom}>
          {missed > 0 ? (
            `${missed} new ${missed === 1 ? 'message' : 'messages'}`
          ) : (
            <span className="unseen">To the newest message</span>
          )}
          <DownIcon />
        </button>
      )}
    </>
  )
}
