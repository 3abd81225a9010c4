import type { Version } from '../contract/index.ts'
import type { Change } from './ports.ts'

/** What changed, by a key of its own, and the version of the state that it is in. */
export const stateOf = (change: Change): { key: string; version: Version } => {
  switch (change.kind) {
    case 'message':
    case 'messageChanged':
      return { key: change.message.id, version: change.message.version }
    case 'receipt':
      return { key: `${change.conversationId} ${change.receipt.userId}`, version: change.receipt.version }
    case 'user':
      return { key: change.user.userId, version: change.user.version }
  }
}
