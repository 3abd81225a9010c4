import type { ChatMessage } from '@parley/client'
import { useLayoutEffect, useReducer, useRef } from 'react'
import { flushSync } from 'react-dom'

/**
 * The list keeps what is in sight at its place when it grows at its start, or at its end, one at a time. Where older
 * messages and newer ones have come at once, the older ones are shown first, and the newer ones right after.
 *
 * It grows at its start in a frame's callback alone. Virtua scrolls to where things are now, and draws what it drew before
 * until it hears of that; by then older messages would stand in the place of those in sight. Frames tell of scrolling
 * before they call back.
 *
 * @param isMeasured whether virtua knows how much is in sight. What grew before would make it wait for a scroll event, which
 *   does not come where everything is in sight, and draw nothing
 */
export const useOneEndAtATime = (messages: readonly ChatMessage[], isMeasured: () => boolean) => {
  const shown = useRef(messages)
  const frame = useRef<number | null>(null)
  const isInFrame = useRef(false)
  const [, showRest] = useReducer((count: number) => count + 1, 0)

  useLayoutEffect(
    () => () => {
      cancelAnimationFrame(frame.current ?? 0)
      frame.current = null
    },
    [],
  )

  const before = shown.current
  const older = countOlder(messages, before)
  const isPrepended = older > 0 && isInFrame.current
  const now = oneEndOf(messages, before, older, isPrepended)
  useLayoutEffect(() => {
    shown.current = now
    if (older > 0 && !isPrepended) {
      const prepend = () => {
        if (!isMeasured()) {
          frame.current = requestAnimationFrame(prepend)
          return
        }
        frame.current = null
        isInFrame.current = true
        flushSync(showRest)
        isInFrame.current = false
      }
      frame.current ??= requestAnimationFrame(prepend)
    } else if (now !== messages) showRest()
  })
  return { messages: now, isPrepended }
}

const oneEndOf = (
  messages: readonly ChatMessage[],
  before: readonly ChatMessage[],
  older: number,
  isPrepended: boolean,
): readonly ChatMessage[] => {
  if (older > 0 && !isPrepended) return messages.slice(older)
  const isBoth = older > 0 && messages.length !== older + before.length
  return isBoth ? [...messages.slice(0, older), ...before] : messages
}

/** How many stand before those that were there. */
const countOlder = (messages: readonly ChatMessage[], before: readonly ChatMessage[]): number => {
  const first = before[0]
  if (!first || messages[0]?.key === first.key) return 0
  return Math.max(
    0,
    messages.findIndex(({ key }) => key === first.key),
  )
}
