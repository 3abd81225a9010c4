import { messageId } from '../../../server/contract/places.ts'
import type { ChatClient } from '../client.ts'
import type { Ask } from './online.ts'
import type { Timeline } from './timeline.ts'

/** Tells the server how far this user has read, one call for a conversation at a time; only the farthest message matters. */
export const createReadAcks = (client: ChatClient, ask: Ask, onRefused: () => void, signal: AbortSignal) => {
  const sending = new Set<string>()

  const send = async ({ id, readSeq }: Timeline) => {
    try {
      for (let acknowledged = 0; acknowledged < readSeq(); ) {
        const seq = readSeq()
        await ask((options) => client.markRead({ messageId: messageId(id, seq) }, options))
        acknowledged = seq
      }
    } catch {
      if (!signal.aborted) onRefused()
    } finally {
      // In the same turn as the last look, so that no ack falls in between.
      sending.delete(id)
    }
  }
  return {
    /** The timeline says how far. */
    send(timeline: Timeline) {
      if (sending.has(timeline.id)) return
      sending.add(timeline.id)
      void send(timeline)
    },
  }
}
