import type { ChatMessage, OutgoingChange, OutgoingMessage } from '@parley/client'
import { useOutbox } from '@parley/client/react'
import { useEffect, useRef, useState } from 'react'

const keptMax = 5
/** Nobody listens to more at once. */
const readOutMax = 300

interface Line {
  key: string
  text: string
}

interface AnnouncementsProps {
  conversationId: string
  messages: readonly ChatMessage[]
  /** From here on what comes is new. */
  isReady: boolean
}

/**
 * What comes in and what fails, for those who listen to the page. It stands apart from the messages on the screen:
 * scrolling back draws those anew, and would have old ones read out as new.
 */
export const Announcements = ({ conversationId, messages, isReady }: AnnouncementsProps) => {
  const [lines, setLines] = useState<Line[]>([])
  const lastSeq = useRef<number | null>(null)
  const failed = useRef<Set<string> | null>(null)
  const { outgoing } = useOutbox()

  useEffect(() => {
    if (!isReady) return
    const since = lastSeq.current
    lastSeq.current = newestSeq(messages)
    if (since !== null) setLines(withNews(receivedAfter(messages, since)))
  }, [messages, isReady])
  useEffect(() => {
    if (!isReady) return
    const before = failed.current
    const failures = outgoing.filter((one) => one.conversationId === conversationId && one.status === 'failed')
    failed.current = new Set(failures.map(({ clientMessageId }) => clientMessageId))
    const news = failures.filter(({ clientMessageId }) => !before?.has(clientMessageId))
    if (before) setLines(withNews(news.map(failureLine)))
  }, [outgoing, conversationId, isReady])

  return (
    <div className="unseen" role="log" aria-label="New messages">
      {lines.map(({ key, text }) => (
        <p key={key}>{text}</p>
      ))}
    </div>
  )
}

const withNews =
  (news: Line[]) =>
  (lines: Line[]): Line[] =>
    news.length === 0 ? lines : [...lines, ...news].slice(-keptMax)

const receivedAfter = (messages: readonly ChatMessage[], since: number): Line[] => {
  const news: Line[] = []
  for (let i = messages.length - 1; i >= 0; i--) {
    const { key, seq, status, senderName, text, deletedAt } = messages[i] as ChatMessage
    if (seq === null) continue
    if (seq <= since) break
    if (status === 'received' && deletedAt === null) news.unshift({ key, text: `${senderName}: ${readOut(text)}` })
  }
  return news
}

const failureLine = ({ type, text, clientMessageId }: OutgoingMessage | OutgoingChange): Line => {
  const words = { send: 'Not sent', edit: 'Not saved', delete: 'Not deleted' }[type]
  // It may fail more than once.
  return { key: `${clientMessageId} ${Date.now()}`, text: text === null ? `${words}.` : `${words}: ${readOut(text)}` }
}

const readOut = (text: string): string => text.slice(0, readOutMax)

const newestSeq = (messages: readonly ChatMessage[]): number => messages.findLast(({ seq }) => seq !== null)?.seq ?? 0
