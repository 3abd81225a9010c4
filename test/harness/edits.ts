import type { ChatMessage, ConversationView } from '../../client-sdk/src/node.ts'

/** Whether a view shows these texts, and nothing is being loaded. */
export const has =
  (...texts: string[]) =>
  ({ messages, loading }: { messages: readonly ChatMessage[]; loading: string | null }) =>
    loading === null && String(messages.map(({ text }) => text)) === String(texts)
/** Whether no change of what is shown waits. */
export const isSaved = ({ messages }: { messages: readonly ChatMessage[] }) =>
  messages.every(({ change }) => change === null)
/** Of the message with this text. */
export const keyOf = (view: ConversationView, text: string) =>
  view.getSnapshot().messages.find((message) => message.text === text)?.key ?? ''
