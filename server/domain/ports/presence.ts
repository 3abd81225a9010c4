import type { UserId } from '../../contract/index.ts'

export interface PresenceChange {
  userId: UserId
  online: boolean
  at: Date
  /** It came about at this node, or at one that died: at others nobody has to store it. */
  here: boolean
}

/** Who is connected, counted over all connections of a user and all nodes. */
export interface Presence {
  /** One more connection of this user. @returns a function that takes it back. */
  connect(userId: UserId): () => void
  online(): ReadonlyMap<UserId, { since: Date }>
  /** Those who are connected to this node. */
  here(): UserId[]
  /** Called with what changed, gathered over a moment, in portions. @returns a function that ends it. */
  listen(onChange: (changes: PresenceChange[]) => void): () => void
}
