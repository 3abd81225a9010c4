import type { Version } from '../../contract/index.ts'

/** What the nodes that work on one store tell each other through it, where the bus cannot be relied on. */
export interface NodeStore {
  /** Random, made with the store and never changed: by it the nodes of one store know each other. */
  storeId(): Promise<string>

  /**
   * The sessions that `deleteSession` ended after this version. It may repeat what it gave before; it never omits. Those
   * that would have expired by now may be forgotten.
   */
  endedSessions(after: Version): Promise<EndedSession[]>

  /** This node is at work. It says so again and again; who does not has died. */
  keepNode(node: string, at: Date): Promise<void>
  /** This node stops in good order. */
  removeNode(node: string): Promise<void>
  /** The nodes that said so at this time or later. */
  nodesSince(since: Date): Promise<string[]>
}

export interface EndedSession {
  tokenHash: string
  version: Version
}
