import type { OutgoingChange, OutgoingMessage } from '@parley/client'

type Outgoing = OutgoingMessage | OutgoingChange

export const isMessage = (outgoing: Outgoing): outgoing is OutgoingMessage => outgoing.type === 'send'

/** What waits in the outbox, counted: «One message and 2 changes»; empty where nothing does. */
export const countedWords = (outgoing: readonly Outgoing[]): string => {
  const messages = outgoing.filter(isMessage).length
  const counts = [counted(messages, 'message'), counted(outgoing.length - messages, 'change')]
  const words = counts.filter((words) => words !== '').join(' and ')
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}

const counted = (count: number, noun: string): string => {
  if (count === 0) return ''
  return count === 1 ? `one ${noun}` : `${count} ${noun}s`
}
