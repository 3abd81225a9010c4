import type { AccountStore } from './account-store.ts'
import type { KnownNetworkStore } from './known-network-store.ts'
import type { MessageStore } from './message-store.ts'
import type { NodeStore } from './node-store.ts'

export interface Store extends AccountStore, KnownNetworkStore, MessageStore, NodeStore {
  /** It may write. Rejects with ChatError `unavailable` where the store cannot serve, in words for whoever runs the server. */
  ping(): Promise<void>
  /** Writes what it took, then ends; whatever is asked from here on is `unavailable`. A second call waits for the first. */
  close(): Promise<void>
}
