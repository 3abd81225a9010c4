import type { ErrorKind } from '../../contract/index.ts'
import type { KnownNetwork, StoredSession, StoredUser } from '../../domain/ports.ts'
import type { Settings } from './connection.ts'
import type { MessageRow, ProfileRow, ReceiptRow } from './rows.ts'

/**
 * What travels between the main thread and the writer. What happens often is a tuple, as copying objects between threads
 * costs twice as much; times are milliseconds since 1970.
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
export type EditOperation = [
  type: 'edit',
  conversationId: string,
  seq: number,
  revision: number,
  text: string,
  editedAt: number,
]
export type DeleteOperation = [type: 'delete', conversationId: string, seq: number, deletedAt: number]
export type Move = [conversationId: string, userId: string, deliveredSeq: number, readSeq: number]

export type Operation =
  | AppendOperation
  | EditOperation
  | DeleteOperation
  | [type: 'advance', moves: Move[]]
  | [type: 'addMember', conversationId: string, userId: string, fromSeq: number]
  | [type: 'removeMember', conversationId: string, userId: string]
  | [type: 'createUser', user: Omit<StoredUser, 'version'>]
  | [type: 'updateProfile', userId: string, displayName: string]
  | [type: 'createSession', session: StoredSession]
  | [type: 'extendSession', tokenHash: string, expiresAt: number]
  | [type: 'deleteSession', tokenHash: string]
  | [type: 'deleteExpiredSessions', before: number]
  | [type: 'rememberNetwork', network: KnownNetwork, keep: number]
  | [type: 'deleteNetworksSeenBefore', before: number]
  | [type: 'setLastSeen', lastSeen: { userId: string; at: Date }[]]
  | [type: 'ping']

/** Of a new message what the sender does not know yet; of one that was there before, all of it. */
export type Appended = [seq: number, version: number, sentAt: number] | { repeated: MessageRow }
export type Changed = { message: MessageRow; repeated: boolean }

/** What each operation gives; an operation that gives nothing gives null. */
export interface Results {
  append: Appended
  edit: Changed
  delete: Changed
  advance: ReceiptRow[]
  addMember: null
  removeMember: null
  createUser: number
  updateProfile: ProfileRow
  createSession: null
  extendSession: null
  deleteSession: boolean
  deleteExpiredSessions: number
  rememberNetwork: null
  deleteNetworksSeenBefore: number
  setLastSeen: null
  ping: null
}

/** An operation that was refused alone, while the others of its commit went through. No result is a string. */
export type Refusal = ErrorKind
export type Reply = Results[keyof Results] | Refusal

/** `told`: the highest position that a reader was told; no version is given at or below it. */
export type ToWriter = { commit: Operation[]; told: number } | { close: true }

/** What became of a commit. */
export type Outcome =
  /** In the order of the operations; `version` is the highest that was given. */
  | { committed: Reply[]; version: number }
  /** Nothing of it was kept. */
  | { failed: string }

export type FromWriter =
  | Outcome
  /** With the version that was given last. */
  | { ready: Settings; version: number }
  | { refusedToStart: string }
  /** A reader of another process holds on to the log, which cannot be bounded until it lets go. */
  | { walBytes: number }
