import type { ChatEvent, ConversationId, Receipt, UserId } from '../../contract/index.ts'
import type { StoreReads } from '../fair-reads.ts'
import { asSeenBy } from '../message-view.ts'
import type { Change, PublishedChange } from '../ports.ts'

/** These changes as this user is told of them, in their order. */
export const eventsFor = async (
  reads: Pick<StoreReads, 'receipts'>,
  viewer: UserId,
  changes: Change[],
): Promise<ChatEvent[]> => {
  const ids = changes.flatMap((change) =>
    change.kind === 'message' || change.kind === 'messageChanged' ? [change.conversationId] : [],
  )
  const receipts = ids.length === 0 ? [] : await reads.receipts([...new Set(ids)])
  const receiptsOf = new Map<ConversationId, Receipt[]>()
  for (const receipt of receipts) {
    const others = receiptsOf.get(receipt.conversationId)
    if (others) others.push(receipt)
    else receiptsOf.set(receipt.conversationId, [receipt])
  }
  return changes.map((change) => eventFor(viewer, change, receiptsOf))
}

const eventFor = (viewer: UserId, change: Change, receiptsOf: Map<ConversationId, Receipt[]>): ChatEvent => {
  switch (change.kind) {
    case 'message':
    case 'messageChanged':
      return {
        type: change.kind,
        message: asSeenBy(viewer, change.message, receiptsOf.get(change.conversationId) ?? []),
      }
    case 'receipt':
      return { type: 'receipt', receipt: change.receipt }
    case 'user':
      return { type: 'user', user: change.user }
  }
}

/**
 * A published change as everybody is told of it; null: it depends on who looks. The bus tells all listeners of one change
 * in a row, and they share one event, so that it is written out once.
 */
export const createSharedEvents = () => {
  let last: { change: PublishedChange; event: ChatEvent | null } | null = null
  return (change: PublishedChange): ChatEvent | null => {
    if (last?.change !== change) last = { change, event: sharedEvent(change) }
    return last.event
  }
}
export type SharedEvents = ReturnType<typeof createSharedEvents>

const sharedEvent = (change: PublishedChange): ChatEvent | null => {
  switch (change.kind) {
    case 'message':
      return { type: 'message', message: change.message }
    case 'messageChanged':
      return null
    case 'receipt':
      return { type: 'receipt', receipt: change.receipt }
    case 'user':
      return { type: 'user', user: change.user }
  }
}
