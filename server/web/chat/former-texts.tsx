import { type ChatClient, ChatError, type ChatMessage, type TextVersion } from '@parley/client'
import { useEffect, useState } from 'react'
import { Popover } from './popover.tsx'
import { RichText } from './rich-text.tsx'
import { exactWords, momentWords, useToday } from './times.ts'

/** Somebody waits for the answer. */
const answerMs = 10_000

interface FormerTextsProps {
  client: ChatClient
  anchor: HTMLElement
  message: ChatMessage
  onClose(): void
}

/** What a message said before it was edited, the newest text first. */
export const FormerTexts = ({ client, anchor, message, onClose }: FormerTextsProps) => {
  const { versions, error, retry } = useVersions(client, message)
  const today = useToday()
  return (
    <Popover anchor={anchor} label="What this message said" onClose={onClose}>
      <h3 tabIndex={-1}>What it said</h3>
      {error && (
        <p role="alert">
          {error.message}{' '}
          <button type="button" className="small" onClick={retry}>
            Try again
          </button>
        </p>
      )}
      {!versions && !error && <p className="facts">Loading…</p>}
      {versions?.length === 0 && <p>It was deleted: nothing is left.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no pointer scrolls it by its focus */}
      <ol className="versions" tabIndex={0} aria-label="Its texts, the newest first">
        {versions?.toReversed().map(({ revision, text, since }) => (
          <li key={revision}>
            <time className="facts" dateTime={since.toISOString()} title={exactWords(since)}>
              {momentWords(since, today)}
              {revision === message.revision && ', as it is now'}
            </time>
            <p className="text" dir="auto">
              <RichText text={text} />
            </p>
          </li>
        ))}
      </ol>
    </Popover>
  )
}

/** Read anew when the message changes while they are looked at. */
const useVersions = (client: ChatClient, { id, revision, deletedAt }: ChatMessage) => {
  const [versions, setVersions] = useState<TextVersion[] | null>(null)
  const [error, setError] = useState<ChatError | null>(null)
  const [tries, setTries] = useState(0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: they say when to read again
  useEffect(() => {
    const over = new AbortController()
    setError(null)
    client.messageVersions({ messageId: id ?? '' }, { signal: over.signal, timeoutMs: answerMs }).then(
      ({ versions }) => setVersions(versions),
      (cause: unknown) => {
        if (over.signal.aborted) return
        if (!(cause instanceof ChatError)) throw cause
        setError(cause)
      },
    )
    return () => over.abort()
  }, [client, id, revision, deletedAt?.getTime(), tries])
  return { versions, error, retry: () => setTries(tries + 1) }
}
