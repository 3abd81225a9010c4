import { messageId } from '../../../server/contract/places.ts'
import type { ChatClient } from '../client.ts'
import { patiently } from './patient.ts'

/** Says how far this user has read, one call for a conversation at a time; only the farthest place matters. */
export const createReading = (client: ChatClient, onRefused: () => void, signal: AbortSignal) => {
  const wanted = new Map<string, number>()

  const say = async (conversationId: string) => {
    try {
      for (let said = 0; said < (wanted.get(conversationId) ?? 0); ) {
        const seq = wanted.get(conversationId) as number
        await patiently(
          client,
          () => client.markRead({ messageId: messageId(conversationId, seq) }, { signal }),
          signal,
        )
        said = seq
      }
    } catch {
      if (!signal.aborted) onRefused()
    } finally {
      // In the same turn as the last look, so that no mark falls in between.
      wanted.delete(conversationId)
    }
  }
  return {
    mark(conversationId: string, seq: number) {
      const isBeingSaid = wanted.has(conversationId)
      wanted.set(conversationId, Math.max(seq, wanted.get(conversationId) ?? 0))
      if (!isBeingSaid) void say(conversationId)
    },
  }
}
