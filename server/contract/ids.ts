import { z } from 'zod'
import { limits } from './limits.ts'

const name = `[a-z0-9_.-]{${limits.usernameMin},${limits.usernameMax}}`
const direct = `dm:${name}:${name}`
const group = 'group:[0-9A-Za-z]{1,32}'

/** A user is her username: 3-32 of `a-z 0-9 _ . -`. Capitals are taken and lower-cased; it never changes. */
export const Username = z
  .string()
  .toLowerCase()
  .regex(new RegExp(`^${name}$`), 'A username has 3-32 of the characters a-z 0-9 _ . -')
  .describe('3-32 of the characters a-z 0-9 _ . -')
export type Username = z.infer<typeof Username>

/** `dm:<a>:<b>` with the two names in order, or `group:<id>`. */
export const ConversationId = z
  .string()
  .max(100)
  .regex(new RegExp(`^(?:${direct}|${group})$`), 'A conversation is dm:<a>:<b> or group:<id>')
  .refine((id) => !id.startsWith('dm:') || directMembersAreSorted(id), 'The names in dm:<a>:<b> stand in order')
  .describe('dm:<a>:<b> with the names in order, or group:<id>')
export type ConversationId = z.infer<typeof ConversationId>

/** Where to: a username (the direct conversation with her) or a conversation id. */
export const Address = z
  .union(
    [Username, ConversationId],
    'An address is a username (3-32 of a-z 0-9 _ . -) or a conversation: dm:<a>:<b> with the names in order, group:<id>',
  )
  .describe('A username, or a conversation: dm:<a>:<b> with the names in order, group:<id>')
export type Address = z.infer<typeof Address>

/** Numbers the messages of one conversation 1, 2, 3 ... without holes. */
export const Seq = z.int().min(1)
export type Seq = z.infer<typeof Seq>

/** Opaque. It names its conversation and its place there, so that a sharded store finds a message by its id alone. */
export const MessageId = z
  .string()
  .max(120)
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
