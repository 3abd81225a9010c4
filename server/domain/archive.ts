import type { ConversationId, Seq, Username, Version } from '../contract/index.ts'
import type { StoredSession, StoredUser } from './ports.ts'

/** All that a store holds, for whoever moves it to another. In each section rows have keys, and are read in their order. */
export interface ArchiveRows {
  users: StoredUser & { lastSeenAt: Date | null }
  sessions: StoredSession
  endedSessions: { tokenHash: string; version: Version; expiresAt: Date }
  conversations: {
    id: ConversationId
    kind: 'direct' | 'group'
    /** By username. */
    members: { username: Username; deliveredSeq: number; readSeq: number; version: Version }[]
    last: { seq: number; version: Version; sentAt: Date }
  }
  messages: {
    conversationId: ConversationId
    seq: Seq
    version: Version
    sender: Username
    text: string
    sentAt: Date
    clientMessageId: string | null
  }
}

export type Section = keyof ArchiveRows
/** Conversations come before their messages. */
export const sections: readonly Section[] = ['users', 'sessions', 'endedSessions', 'conversations', 'messages']

/** The place of a row in its section; the second part is a message's `seq`, else 0. */
export type Key = [id: string, seq: number]
export const firstKey: Key = ['', 0]

export const keyOf = <S extends Section>(section: S, row: ArchiveRows[S]): Key => {
  const keys: { [Name in Section]: (row: ArchiveRows[Name]) => Key } = {
    users: ({ username }) => [username, 0],
    sessions: ({ tokenHash }) => [tokenHash, 0],
    endedSessions: ({ tokenHash }) => [tokenHash, 0],
    conversations: ({ id }) => [id, 0],
    messages: ({ conversationId, seq }) => [conversationId, seq],
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
