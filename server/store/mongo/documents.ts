import { directMembers, messageId, type Profile, type Receipt } from '../../contract/index.ts'
import type { ArchiveRows } from '../../domain/archive.ts'
import type { Change, Interval, StoredMessage, StoredUser } from '../../domain/ports.ts'
import type { MemberDocument, MessageDocument, UserDocument } from './schema.ts'

/** A message as a store keeps it: with what is no part of it for anybody else. */
export type KeptMessage = ArchiveRows['messages']

/** Field by field: with `toDocument` the one list of what a message is here. */
export const toMessage = (document: MessageDocument): StoredMessage => ({
  id: messageId(document.conversationId, document.seq),
  conversationId: document.conversationId,
  seq: document.seq,
  version: versionOf(document),
  sender: document.sender,
  text: document.text,
  revision: document.revision ?? 1,
  sentAt: document.sentAt,
  editedAt: document.editedAt ?? null,
  deletedAt: document.deletedAt ?? null,
  clientMessageId: document.clientMessageId ?? null,
})

/** One that was found late may have got a new version after it was edited. */
const versionOf = ({ version, changedVersion = 0 }: MessageDocument): number => Math.max(version, changedVersion)

export const toKept = (document: MessageDocument): KeptMessage => {
  const { id: _, ...message } = toMessage(document)
  return { ...message, sentVersion: document.version, senderOrdinal: document.senderOrdinal }
}

export const toDocument = (message: KeptMessage): MessageDocument => ({
  _id: message.sentVersion,
  conversationId: message.conversationId,
  seq: message.seq,
  version: message.sentVersion,
  audience: audienceOf(message.conversationId),
  sender: message.sender,
  senderOrdinal: message.senderOrdinal,
  text: message.text,
  sentAt: message.sentAt,
  ...(isGroup(message.conversationId) && { inGroup: true }),
  ...(message.clientMessageId !== null && { clientMessageId: message.clientMessageId }),
  ...(message.revision > 1 && { revision: message.revision }),
  ...(message.editedAt && { editedAt: message.editedAt }),
  ...(message.deletedAt && { deletedAt: message.deletedAt }),
  ...(message.version !== message.sentVersion && { changedVersion: message.version }),
})

export const toReceipt = ({ conversationId, userId, deliveredSeq, readSeq, version }: MemberDocument): Receipt => ({
  conversationId,
  userId,
  deliveredSeq,
  readSeq,
  version,
})

export const toProfile = ({ _id, displayName, version }: UserDocument): Profile => ({
  userId: _id,
  displayName,
  version,
})

export const toUser = (document: UserDocument): StoredUser => ({
  ...toProfile(document),
  passwordHash: document.passwordHash,
  createdAt: document.createdAt,
})

export const messageSent = (document: MessageDocument): Change => ({
  kind: 'message',
  version: document.version,
  conversationId: document.conversationId,
  message: toMessage(document),
})
export const messageChanged = (message: StoredMessage): Change => ({
  kind: 'messageChanged',
  version: message.version,
  conversationId: message.conversationId,
  message,
})
export const receiptMoved = (receipt: Receipt): Change => ({
  kind: 'receipt',
  version: receipt.version,
  conversationId: receipt.conversationId,
  receipt,
})
export const profileChanged = (user: Profile): Change => ({
  kind: 'user',
  version: user.version,
  conversationId: null,
  user,
})

export const memberId = (conversationId: string, userId: string): string => `${conversationId} ${userId}`

/** In order; those in which nothing was said are left out. */
export const intervalsOf = ({ fromSeq, untilSeq, former = [] }: MemberDocument): Interval[] =>
  [...former, { fromSeq, untilSeq: untilSeq ?? null }].filter(
    (one) => one.untilSeq === null || one.untilSeq >= one.fromSeq,
  )

/** Of those who have not left. */
export const isMember = { untilSeq: { $exists: false } } as const

export const isGroup = (conversationId: string): boolean => directMembers(conversationId) === null

/**
 * By which keys all that belongs to a conversation is found: its two people, or the group. One entry in an index for each
 * reader of a group would make a message to 1,000 people a thousand writes. A user id has no colon.
 */
export const audienceOf = (conversationId: string): string[] => directMembers(conversationId) ?? [conversationId]
