import type { ChatEvent, Receipt, UserId } from '../../contract/index.ts'
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
  return changes.map((change) => eventFor(viewer, change, receipts))
}

const eventFor = (viewer: UserId, change: Change, receipts: Receipt[]): ChatEvent => {
  switch (change.kind) {
    case 'message':
    case 'messageChanged':
      return { type: change.kind, message: asSeenBy(viewer, change.message, receipts) }
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
