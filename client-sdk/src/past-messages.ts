import type { Message } from '../../server/contract/index.ts'
import type { Calls } from './calls.ts'

const pageSize = 100

export interface PastOptions {
  /** A username or the id of a conversation. */
  conversation: string
  /** Only messages before this number. */
  before?: number | undefined
  /** Ends the loop: it throws the signal's reason. */
  signal?: AbortSignal | undefined
}

/** The messages of a conversation, the newest first, read as they are asked for. @throws ChatError */
export async function* pastMessages(
  history: Calls['history'],
  { conversation, before, signal }: PastOptions,
): AsyncGenerator<Message, void, undefined> {
  for (let next: number | null | undefined = before; next !== null; ) {
    const place = next === undefined ? {} : { before: next }
    const { messages, nextBefore } = await history({ conversation, limit: pageSize, ...place }, { signal })
    yield* messages.reverse()
    next = nextBefore
  }
}
