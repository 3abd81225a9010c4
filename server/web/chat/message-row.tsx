import type { ChatMessage } from '@parley/client'
import { memo } from 'react'
import { canBeChanged } from './editing.ts'
import { MoreIcon } from './icons.tsx'
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
  isBeingEdited: boolean
  /** The row's acts, the same for all rows. */
  acts: MessageActs
}

/** What can be done from a row. */
export interface MessageActs {
  /** Sends, edits or deletes once more what has failed. */
  retry(message: ChatMessage): void
  cancel(message: ChatMessage): void
  openMenu(message: ChatMessage, anchor: HTMLElement): void
  openFormerTexts(message: ChatMessage, anchor: HTMLElement): void
}

/**
 * One message. What stands between it and the next one is part of it, so that older messages above change nothing about
 * those that are shown already: their heights stay, and nothing jumps.
 */
export const MessageRow = memo((props: MessageRowProps) => {
  const { message, isFirst, isLast, dayBelow, isNewBelow, isHeld, isBeingEdited, acts } = props
  const { senderName, sentAt, status, deletedAt, change } = message
  return (
    <>
      <div
        className="message"
        data-own={status !== 'received' || undefined}
        data-first={isFirst || undefined}
        data-last={isLast || undefined}
        data-status={change?.status === 'failed' ? 'failed' : status}
        data-deleted={deletedAt !== null || change?.kind === 'delete' || undefined}
        data-edited={isBeingEdited || undefined}
      >
        <div className="bubble-line">
          {canBeChanged(message) && (
            <button
              type="button"
              className="quiet round more"
              title="Edit or delete"
              aria-haspopup="dialog"
              onClick={(event) => acts.openMenu(message, event.currentTarget)}
            >
              <MoreIcon />
              <span className="unseen">Edit or delete “{message.text.slice(0, 40)}”</span>
            </button>
          )}
          <div className="bubble">
            <span className="unseen">{status === 'received' ? senderName : 'You'}: </span>
            <Text message={message} />
            <span className="meta">
              <EditedMark message={message} onOpen={acts.openFormerTexts} />
              <time dateTime={sentAt.toISOString()} title={exactWords(sentAt)}>
                {timeWords(sentAt)}
              </time>
              {status !== 'received' && deletedAt === null && (
                <Ticks status={change ? (change.status === 'failed' ? 'unchanged' : 'changing') : status} />
              )}
            </span>
          </div>
        </div>
        <Undelivered message={message} isHeld={isHeld} acts={acts} />
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

const Text = ({ message: { text, deletedAt } }: Pick<MessageRowProps, 'message'>) =>
  deletedAt === null ? (
    <span className="text" dir="auto">
      <RichText text={text} />
    </span>
  ) : (
    <span className="tombstone">{deletedWords}</span>
  )

export const deletedWords = 'This message was deleted'

interface EditedMarkProps {
  message: ChatMessage
  onOpen: MessageActs['openFormerTexts']
}

const EditedMark = ({ message, onOpen }: EditedMarkProps) => {
  const { editedAt, deletedAt } = message
  if (editedAt === null || deletedAt !== null) return null
  return (
    <button
      type="button"
      className="edited"
      title={`Edited ${exactWords(editedAt)}`}
      aria-haspopup="dialog"
      onClick={(event) => onOpen(message, event.currentTarget)}
    >
      edited<span className="unseen">: what it said before</span>
    </button>
  )
}

type UndeliveredProps = Pick<MessageRowProps, 'message' | 'isHeld' | 'acts'>

/** What has not come to the server, and what can be done about it. */
const Undelivered = ({ message, isHeld, acts }: UndeliveredProps) => {
  const { status, error, change } = message
  const failure = status === 'failed' ? error : change?.status === 'failed' ? change.error : undefined
  const [failed, undo, held, holdUndo] = wordsFor[change?.kind ?? 'send']
  if (failure !== undefined) {
    return (
      <p className="undelivered failed">
        <span>
          {failed} {failure?.message}
        </span>
        <button type="button" className="small" onClick={() => acts.retry(message)}>
          Try again
        </button>
        <button type="button" className="small" onClick={() => acts.cancel(message)}>
          {undo}
        </button>
      </p>
    )
  }
  if (!isHeld || (status !== 'sending' && !change)) return null
  return (
    <p className="undelivered">
      <span>{held}</span>
      <button type="button" className="quiet small" onClick={() => acts.cancel(message)}>
        {holdUndo}
      </button>
    </p>
  )
}

/** What failed, what undoes that; what waits, what takes it back. */
const wordsFor = {
  send: ['Not sent.', 'Delete', 'Waits for a connection.', 'Take back'],
  edit: ['Not saved.', 'Discard', 'The edit waits for a connection.', 'Take back'],
  delete: ['Not deleted.', 'Keep', 'Deleting waits for a connection.', 'Take back'],
} as const
