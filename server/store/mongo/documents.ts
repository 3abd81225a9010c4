import { messageId, type Receipt } from '../../contract/index.ts'
import type { StoredMessage } from '../../domain/ports.ts'
import type { MemberDocument, MessageDocument } from './schema.ts'

export const toMessage = ({
  _id,
  conversationId,
  seq,
  version,
  sender,
  text,
  sentAt,
  clientMessageId,
}: MessageDocument): StoredMessage => ({
  id: _id,
  conversationId,
  seq,
  version,
  sender,
  text,
  sentAt,
  clientMessageId: clientMessageId ?? null,
})

export const toReceipt = ({ conversationId, username, deliveredSeq, readSeq, version }: MemberDocument): Receipt => ({
  conversationId,
  username,
  deliveredSeq,
  readSeq,
  version,
})

export const memberId = (conversationId: string, username: string): string => `${conversationId} ${username}`

/** The documents of these messages of one conversation, by their `seq`. */
export const messageIds = (conversationId: string, seqs: number[]): string[] =>
  seqs.map((seq) => messageId(conversationId, seq))

/** By which keys the messages of a conversation are found; a username has no colon. */
export const audienceOf = (conversationId: string, kind: 'direct' | 'group', members: string[]): string[] =>
  kind === 'group' ? [conversationId] : members

export const byVersion = (a: { version: number }, b: { version: number }): number => a.version - b.version
