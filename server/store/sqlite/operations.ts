import type { ErrorKind } from '../../contract/index.ts'
import type { StoredSession, StoredUser } from '../../domain/ports.ts'
import type { Settings } from './connection.ts'

/**
 * What travels between the main thread and the writer. Messages and receipts are tuples, as copying objects between
 * threads costs twice as much; times are milliseconds since 1970.
 */
export type AppendOperation = [
  type: 'append',
  conversationId: string,
  kind: 'direct' | 'group',
  members: string[],
  sender: string,
  text: string,
  clientMessageId: string | null,
  sentAt: number,
]
export type Move = [conversationId: string, username: string, deliveredSeq: number, readSeq: number]

export type Operation =
  | AppendOperation
  | [type: 'advance', moves: Move[]]
  | [type: 'createUser', user: StoredUser]
  | [type: 'createSession', session: StoredSession]
  | [type: 'extendSession', tokenHash: string, expiresAt: number]
  | [type: 'deleteSession', tokenHash: string]
  | [type: 'deleteExpiredSessions', before: number]
  | [type: 'setLastSeen', lastSeen: { username: string; at: Date }[]]
  | [type: 'ping']

export type Appended = [seq: number, version: number, sentAt: number, repeated: boolean]
export type Moved = [conversationId: string, username: string, deliveredSeq: number, readSeq: number, version: number]

/** What each operation gives; an operation that gives nothing gives null. */
export interface Results {
  append: Appended
  advance: Moved[]
  createUser: null
  createSession: null
  extendSession: null
  deleteSession: boolean
  deleteExpiredSessions: number
  setLastSeen: null
  ping: null
}

/** An operation that was refused alone, while the others of its commit went through. No result is a string. */
export type Refusal = ErrorKind
export type Reply = Results[keyof Results] | Refusal

export type ToWriter = { commit: Operation[] } | { close: true }

export type FromWriter =
  | { ready: Settings }
  | { refusedToStart: string }
  /** In the order of the operations. */
  | { committed: Reply[] }
  /** Nothing of it was kept. */
  | { failed: string }
  /** A reader of another process holds on to the log, which cannot be bounded until it lets go. */
  | { walBytes: number }
