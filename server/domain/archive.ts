import { type ConversationId, messageId, type Seq, type UserId, type Version } from '../contract/index.ts'
import type { KnownNetwork, StoredMessage, StoredSession, StoredUser } from './ports.ts'

/** All that a store holds, for whoever moves it to another. In each section rows have keys, and are read in their order. */
export interface ArchiveRows {
  users: StoredUser & { lastSeenAt: Date | null }
  sessions: StoredSession
  endedSessions: { tokenHash: string; version: Version; expiresAt: Date }
  knownNetworks: KnownNetwork
  conversations: {
    id: ConversationId
    kind: 'direct' | 'group'
    /** By user id; those who have left are among them. */
    members: ArchivedMember[]
    last: { seq: number; version: Version; sentAt: Date }
  }
  /** The second part of its key is `seq`. */
  messages: Omit<StoredMessage, 'id'> & {
    /** At which it was sent; `version` is the one at which it last changed. */
    sentVersion: Version
    /** How many messages of its sender the conversation has up to and including it. */
    senderOrdinal: number
  }
  /** Former texts; the second part of their key is `revision`. */
  texts: { conversationId: ConversationId; seq: Seq; revision: number; text: string; since: Date }
}

export interface ArchivedMember {
  userId: UserId
  deliveredSeq: number
  readSeq: number
  version: Version
  fromSeq: Seq
  untilSeq: number | null
  /** Earlier intervals of somebody who came back. */
  former: { fromSeq: Seq; untilSeq: number }[]
}

export type Section = keyof ArchiveRows
/** Conversations come before their messages, and messages before their former texts. */
export const sections: readonly Section[] = [
  'users',
  'sessions',
  'endedSessions',
  'knownNetworks',
  'conversations',
  'messages',
  'texts',
]

/** Where a row stands in its section; the second part is 0 unless its section says otherwise. */
export type Key = [id: string, seq: number]
export const firstKey: Key = ['', 0]

export const keyOf = <S extends Section>(section: S, row: ArchiveRows[S]): Key => {
  const keys: { [Name in Section]: (row: ArchiveRows[Name]) => Key } = {
    users: ({ userId }) => [userId, 0],
    sessions: ({ tokenHash }) => [tokenHash, 0],
    endedSessions: ({ tokenHash }) => [tokenHash, 0],
    // A space comes before all that a user id may have in it, so that this order is that of the two.
    knownNetworks: ({ userId, networkHash }) => [`${userId} ${networkHash}`, 0],
    conversations: ({ id }) => [id, 0],
    messages: ({ conversationId, seq }) => [conversationId, seq],
    texts: ({ conversationId, seq, revision }) => [messageId(conversationId, seq), revision],
  }
  return keys[section](row)
}

export interface Archive extends AsyncDisposable {
  /** Of the store that this is, or that it is a copy of. */
  storeId: string
  /** At most `limit` rows behind this key. */
  read<S extends Section>(section: S, after: Key, limit: number): Promise<ArchiveRows[S][]>
  count(section: Section): Promise<number>
}

/** A copy that is being made. No server takes it for its store before it is finished. */
export interface UnfinishedArchive extends Archive {
  /** How far it is: all of this section up to this key is here, and all sections before it. Null: nothing. */
  progress: { section: Section; upTo: Key } | null
  /** Adds rows and with them the progress; what is there already stays. */
  write<S extends Section>(section: S, rows: ArchiveRows[S][]): Promise<void>
  /** From here on it is a store. */
  finish(): Promise<void>
}
