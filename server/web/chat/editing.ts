import type { ChatMessage } from '@parley/client'
import { useState } from 'react'

/** Own, sent or on its way, and not deleted. What failed has acts of its own. */
export const canBeChanged = ({ status, deletedAt }: ChatMessage): boolean =>
  status !== 'received' && status !== 'failed' && deletedAt === null

export interface Editing {
  message: ChatMessage
  /** What it said when the editing began. */
  text: string
  /** It was edited elsewhere since. */
  isOutdated: boolean
}

/** Which message is being edited; none any more once it is deleted. */
export const useEditing = (messages: readonly ChatMessage[]) => {
  const [begun, setBegun] = useState<{ key: string; text: string; revision: number } | null>(null)
  const message = begun && messages.find(({ key }) => key === begun.key)
  const editing: Editing | null =
    message && canBeChanged(message)
      ? { message, text: begun.text, isOutdated: message.revision !== begun.revision }
      : null
  return {
    editing,
    begin: ({ key, text, revision }: ChatMessage) => setBegun({ key, text, revision }),
    end: () => setBegun(null),
  }
}
