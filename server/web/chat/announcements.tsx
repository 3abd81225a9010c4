import type { ChatMessage } from '@parley/client'
import { useEffect, useRef, useState } from 'react'

const keptMax = 5
/** Nobody listens to more at once. */
const readOutMax = 300

/**
 * What comes in, for those who listen to the page. It stands apart from the messages on the screen: scrolling back draws
 * those anew, and would have old ones read out as new.
 */
export const Announcements = ({ messages, isReady }: { messages: readonly ChatMessage[]; isReady: boolean }) => {
  const [lines, setLines] = useState<{ key: string; text: string }[]>([])
  const lastSeq = useRef<number | null>(null)
  const failed = useRef(new Set<string>())

  useEffect(() => {
    if (!isReady) return
    const since = lastSeq.current
    lastSeq.current = newestSeq(messages)
    const news: { key: string; text: string }[] = []
    for (let i = messages.length - 1; i >= 0; i--) {
      const message = messages[i] as ChatMessage
      const { key, seq, status, sender, text } = message
      if (status === 'failed' && !failed.current.has(key)) {
        failed.current.add(key)
        if (since !== null) news.unshift({ key, text: `Not sent: ${text.slice(0, readOutMax)}` })
      }
      if (seq === null) continue
      if (since === null || seq <= since) break
      if (status === 'received') news.unshift({ key, text: `${sender}: ${text.slice(0, readOutMax)}` })
    }
    if (news.length > 0) setLines((lines) => [...lines, ...news].slice(-keptMax))
  }, [messages, isReady])

  return (
    <div className="unseen" role="log" aria-label="New messages">
      {lines.map(({ key, text }) => (
        <p key={key}>{text}</p>
      ))}
    </div>
  )
}

const newestSeq = (messages: readonly ChatMessage[]): number => messages.findLast(({ seq }) => seq !== null)?.seq ?? 0
