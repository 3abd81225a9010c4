import type { ChatMessage } from '@parley/client'
import { useLayoutEffect, useReducer, useRef } from 'react'

/**
 * The list keeps what is in sight at its place when it grows at its start, or at its end, one at a time. Where older
 * messages and newer ones have come at once, the older ones are shown first, and the newer ones right after.
 */
export const useOneEndAtATime = (messages: readonly ChatMessage[]) => {
  const shown = useRef(messages)
  const [, showRest] = useReducer((count: number) => count + 1, 0)

  const before = shown.current
  const older = countOlder(messages, before)
  const isBoth = older > 0 && messages.length !== older + before.length
  const now = isBoth ? [...messages.slice(0, older), ...before] : messages
  useLayoutEffect(() => {
    shown.current = now
    if (now !== messages) showRest()
  })
  return { messages: now, isPrepended: older > 0 }
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
