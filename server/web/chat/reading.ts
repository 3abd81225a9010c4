import type { ChatMessage, ConversationView } from '@parley/client'
import { useCallback, useEffect, useRef } from 'react'
import type { VirtualizerHandle } from 'virtua'

/** Of a message that sticks out below, so much has to be in sight. */
const inSightPx = 24

const isLooked = (): boolean => document.visibilityState === 'visible' && document.hasFocus()

/**
 * Marks as read what has come into sight, while somebody looks: the page is visible, and the window is the one she works in.
 * @returns a function that looks again, for what may have changed what is in sight
 */
export const useReading = (
  list: { current: VirtualizerHandle | null },
  messages: readonly ChatMessage[],
  view: ConversationView,
) => {
  const now = useRef(messages)
  const look = useCallback(() => {
    if (!list.current || !isLooked() || list.current.viewportSize === 0) return
    const { scrollOffset, viewportSize } = list.current
    const seq = seqAtOrAbove(now.current, list.current.findItemIndex(scrollOffset + viewportSize - inSightPx))
    // Said before or not: what is in sight may have come in above own messages that were there.
    if (seq > 0) view.markRead(seq)
  }, [list, view])

  useEffect(() => {
    now.current = messages
    // Once the list has been drawn, measured and moved to its place.
    const frame = requestAnimationFrame(look)
    return () => cancelAnimationFrame(frame)
  }, [messages, look])
  useEffect(() => {
    const over = new AbortController()
    const { signal } = over
    addEventListener('focus', look, { signal })
    document.addEventListener('visibilitychange', look, { signal })
    return () => over.abort()
  }, [look])
  return look
}

const seqAtOrAbove = (messages: readonly ChatMessage[], index: number): number => {
  for (let i = Math.min(index, messages.length - 1); i >= 0; i--) {
    const seq = messages[i]?.seq
    if (seq) return seq
  }
  return 0
}
