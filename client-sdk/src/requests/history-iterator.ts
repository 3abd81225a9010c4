import type { HistoryPage, Message } from '../../../server/contract/index.ts'
import { withinLimits } from '../connection/retry.ts'
import type { Calls } from './calls.ts'

const pageSize = 100

export interface PastOptions {
  /** A userId or the id of a conversation. */
  conversation: string
  /** Only messages before this number. */
  before?: number | undefined
  /** Ends the loop: it throws the signal's reason. */
  signal?: AbortSignal | undefined
}

/** The messages of a conversation, the newest first, read as they are asked for. Limits are waited out. @throws ChatError */
export async function* pastMessages(
  history: Calls['history'],
  { conversation, before, signal }: PastOptions,
): AsyncGenerator<Message, void, undefined> {
  for (let next: number | null | undefined = before; next !== null; ) {
    const place = next === undefined ? {} : { before: next }
    const read = (): Promise<HistoryPage> => history({ conversation, limit: pageSize, ...place }, { signal })
    const { messages, nextBefore }: HistoryPage = await withinLimits(read, signal)
    yield* messages.reverse()
    next = nextBefore
  }
}
