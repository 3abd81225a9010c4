import type { ConversationId, UserId } from '../../contract/index.ts'
import type { PublishedChange } from './messages.ts'

/**
 * Something may have been missed: a moment ago, or (`old`) up to 45 s ago, as a node that has died is known to have only
 * then, and others were heard meanwhile.
 */
export type Gap = 'gap' | 'oldGap'

/** Whom something concerns: a user, or everybody in a conversation. */
export type Audience = UserId | ConversationId

/**
 * Wakes whoever follows, with a copy that saves a read; the store is the truth. It may lose events, but then it says so:
 * `onGap`, as soon as it knows.
 */
export interface Bus {
  /** Whether other nodes work on the same store. Then changes of two nodes may come in another order than their versions. */
  readonly shared: boolean
  /**
   * Whether it hears of everything at the moment, or at least believes so; it may find out 3 s late. While it is not, what
   * came last says nothing of what came before it.
   */
  whole(): boolean
  /** One change to each listener in this audience, in the order of the calls. Listeners must not change it. */
  publish(audience: Audience, change: PublishedChange): void
  /**
   * Hears what is published to any of these audiences: a user hears her direct conversations, and names her groups.
   * @returns a function that ends it.
   */
  listen(audiences: Audience[], onChange: (change: PublishedChange) => void, onGap: (gap: Gap) => void): () => void
  /** Hears everything, whomever it concerns. @returns a function that ends it. */
  listenToAll(onChange: (change: PublishedChange) => void, onGap: (gap: Gap) => void): () => void
  /** Tells all nodes that a session was ended. */
  endSession(tokenHash: string): void
  /** @returns a function that ends it. */
  onSessionEnd(onEnd: (tokenHash: string) => void): () => void
}
