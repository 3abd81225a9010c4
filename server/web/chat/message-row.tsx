import type { ChatMessage } from '@parley/client'
import { memo } from 'react'
import { RichText } from './rich-text.tsx'
import { Ticks } from './ticks.tsx'
import { exactWords, timeWords } from './times.ts'

export interface MessageRowProps {
  message: ChatMessage
  /** Which corners are round: messages of one sender that follow each other soon stand together. */
  isFirst: boolean
  isLast: boolean
  /** The day that begins below it. */
  dayBelow: string | null
  /** What stands below it was unread when the conversation was opened. */
  isNewBelow: boolean
  /** It waits, and can be taken back. */
  isHeld: boolean
  onRetry(key: string): void
  onCancel(key: string): void
}

/**
 * One message. What stands between it and the next one is part of it, so that older messages above change nothing about
 * those that are shown already: their heights stay, and nothing jumps.
 */
export const MessageRow = memo(({ message, isFirst, isLast, dayBelow, isNewBelow, ...held }: MessageRowProps) => {
  const { sender, text, sentAt, status } = message
  return (
    <>
      <div
        className="message"
        data-own={status !== 'received' || undefined}
        data-first={isFirst || undefined}
        data-last={isLast || undefined}
        data-status={status}
      >
        <div className="bubble">
          <span className="unseen">{status === 'received' ? sender : 'You'}: </span>
          <span className="text" dir="auto">
            <RichText text={text} />
          </span>
          <span className="meta">
            <time dateTime={sentAt.toISOString()} title={exactWords(sentAt)}>
              {timeWords(sentAt)}
            </time>
            {status !== 'received' && <Ticks status={status} />}
          </span>
        </div>
        <Undelivered message={message} {...held} />
      </div>
      {dayBelow !== null && <DayLine words={dayBelow} />}
      {isNewBelow && <NewLine />}
    </>
  )
})

export const DayLine = ({ words }: { words: string }) => (
  <p className="line">
    <span>{words}</span>
  </p>
)

export const NewLine = () => (
  <p className="line new">
    <span>New messages</span>
  </p>
)

type UndeliveredProps = Pick<MessageRowProps, 'message' | 'isHeld' | 'onRetry' | 'onCancel'>

const Undelivered = ({ message: { key, status, error }, isHeld, onRetry, onCancel }: UndeliveredProps) => {
  if (status === 'failed') {
    return (
      <p className="undelivered failed">
        <span>Not sent. {error?.message}</span>
        <button type="button" className="small" onClick={() => onRetry(key)}>
          Try again
        </button>
        <button type="button" className="small" onClick={() => onCancel(key)}>
          Delete
        </button>
      </p>
    )
  }
  if (status !== 'sending' || !isHeld) return null
  return (
    <p className="undelivered">
      <span>Waits for a connection.</span>
      <button type="button" className="quiet small" onClick={() => onCancel(key)}>
        Take back
      </button>
    </p>
  )
}
