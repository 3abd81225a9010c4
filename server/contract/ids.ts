import { z } from 'zod'
import { limits } from './limits.ts'

const user = `[A-Za-z0-9_.\\-@|+=~]{1,${limits.userIdMax}}`
const direct = `dm:${user}:${user}`
const group = 'group:[0-9A-Za-z]{1,32}'

/**
 * Opaque and case-sensitive, so that the ids of an application's own users fit unchanged: a UUID, `auth0|...`, an e-mail
 * address, `42`. People are shown by their `displayName`.
 */
export const UserId = z
  .string()
  .regex(new RegExp(`^${user}$`), 'A user id has 1-64 of the characters A-Z a-z 0-9 _ . - @ | + = ~')
  .describe('1-64 of the characters A-Z a-z 0-9 _ . - @ | + = ~')
export type UserId = z.infer<typeof UserId>

/** The user id of an account that is opened with a password. Capitals are taken and lower-cased; it never changes. */
export const Username = z
  .string()
  .toLowerCase()
  .regex(
    new RegExp(`^[a-z0-9_.-]{${limits.usernameMin},${limits.usernameMax}}$`),
    'A username has 3-32 of the characters a-z 0-9 _ . -',
  )
  .describe('3-32 of the characters a-z 0-9 _ . -')
export type Username = z.infer<typeof Username>

/** `dm:<a>:<b>` with the two user ids in order, or `group:<id>`. */
export const ConversationId = z
  .string()
  .max(limits.conversationIdMax)
  .regex(new RegExp(`^(?:${direct}|${group})$`), 'A conversation is dm:<a>:<b> or group:<id>')
  .refine((id) => !id.startsWith('dm:') || directMembersAreSorted(id), 'The user ids in dm:<a>:<b> stand in order')
  .describe('dm:<a>:<b> with the user ids in order, or group:<id>')
export type ConversationId = z.infer<typeof ConversationId>

/** Where to: a user id (the direct conversation with that user) or a conversation id. */
export const Address = z
  .union(
    [UserId, ConversationId],
    'An address is a user id (1-64 of A-Z a-z 0-9 _ . - @ | + = ~) or a conversation: dm:<a>:<b> with the user ids in order, group:<id>',
  )
  .describe('A user id, or a conversation: dm:<a>:<b> with the user ids in order, group:<id>')
export type Address = z.infer<typeof Address>

/** Numbers the messages of one conversation 1, 2, 3 ... without holes. */
export const Seq = z.int().min(1)
export type Seq = z.infer<typeof Seq>

/** Opaque. It names its conversation and its number there, so that a sharded store finds a message by its id alone. */
export const MessageId = z
  .string()
  .max(limits.conversationIdMax + 16)
  .regex(new RegExp(`^(?:${direct}|${group}):[1-9][0-9]{0,14}$`), 'Not the id of a message')
  .describe('The id of a message, as it came with it')
export type MessageId = z.infer<typeof MessageId>

export const ClientMessageId = z
  .string()
  .min(1)
  .max(limits.clientMessageIdMax)
  .regex(/^[\x21-\x7e]+$/, 'Printable ASCII without spaces')
  .describe('Chosen by the sender, once for each message; a repeat within the conversation returns the first message.')
export type ClientMessageId = z.infer<typeof ClientMessageId>

/** When a row last changed: ordered, otherwise opaque. A safe integer. */
export type Version = number

const directMembersAreSorted = (id: string): boolean => {
  const [, a = '', b = ''] = id.split(':')
  return a <= b
}
