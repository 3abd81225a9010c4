import type { ChatMessage } from '@parley/client'
import { useState } from 'react'
import { closePopover, Popover } from './popover.tsx'

interface MessageMenuProps {
  anchor: HTMLElement
  message: ChatMessage
  onEdit(message: ChatMessage): void
  onDelete(message: ChatMessage): void
  onClose(): void
}

/** What can be done with an own message. Deleting asks once more, at the same spot: there is no way back. */
export const MessageMenu = ({ anchor, message, onEdit, onDelete, onClose }: MessageMenuProps) => {
  const [isAsked, setIsAsked] = useState(false)
  return (
    <Popover anchor={anchor} label={isAsked ? 'Delete this message?' : 'This message'} onClose={onClose}>
      {isAsked ? (
        <>
          <p>Delete it for everybody? Its text cannot be brought back.</p>
          <div className="actions">
            <button type="button" className="small" onClick={(event) => closePopover(event.currentTarget)}>
              Keep
            </button>
            <button
              ref={focusIt}
              type="button"
              className="danger small"
              onClick={(event) => {
                closePopover(event.currentTarget)
                onDelete(message)
              }}
            >
              Delete
            </button>
          </div>
        </>
      ) : (
        <div className="choices">
          <button
            type="button"
            onClick={(event) => {
              closePopover(event.currentTarget)
              onEdit(message)
            }}
          >
            Edit
          </button>
          <button type="button" onClick={() => setIsAsked(true)}>
            Delete…
          </button>
        </div>
      )}
    </Popover>
  )
}

/** The button that asked is gone, and the focus with it. */
const focusIt = (button: HTMLButtonElement | null) => button?.focus()
