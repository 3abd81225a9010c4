import { z } from 'zod'
import { ConversationId, MessageId, Seq, UserId } from './ids.ts'
import type * as contract from './index.ts'
import { limits } from './limits.ts'

/**
 * The answers as schemas, for whoever describes or checks them: what TypeScript's callers see are the interfaces of the
 * same names, so that declarations stay free of zod. The two cannot drift: `same` does not compile where they differ.
 * Not part of `index.ts`, where the names would clash.
 */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

const same =
  <Interface>() =>
  <Schema extends z.ZodType>(schema: Same<z.output<Schema>, Interface> extends true ? Schema : never): Schema =>
    schema

/** Orders changes; otherwise opaque. */
const Version = z.int()
/** How far somebody is; 0: nothing. */
const UpTo = z.int().min(0)

const profile = {
  userId: UserId,
  displayName: z.string().max(limits.displayNameMax).describe('The user id where none was chosen.'),
  version: Version.describe('When the profile last changed: ordered, otherwise opaque.'),
}

export const Profile = same<contract.Profile>()(z.object(profile))

export const User = same<contract.User>()(z.object({ ...profile, createdAt: z.date() }))

export const Session = same<contract.Session>()(
  z.object({
    token: z.string().describe('Send it as "Authorization: Bearer <token>". It is given out once.'),
    expiresAt: z.date().describe('Moves on while the session is used.'),
  }),
)

export const SignedIn = same<contract.SignedIn>()(z.object({ user: User, session: Session }))

export const Message = same<contract.Message>()(
  z.object({
    id: MessageId.describe('Opaque.'),
    conversationId: ConversationId,
    seq: Seq.describe('Numbers the messages of a conversation 1, 2, 3 ... without holes.'),
    version: Version.describe('When it last changed: ordered, otherwise opaque.'),
    sender: UserId,
    text: z.string().max(limits.textMax).describe('Empty once it was deleted.'),
    revision: z.int().min(1).describe('Counts the texts: 1 as it was sent, one more with each edit.'),
    sentAt: z.date().describe('When the server took it; never earlier than the message before it.'),
    editedAt: z.date().nullable().describe('When its text was last edited; null: never.'),
    deletedAt: z.date().nullable().describe('When it was deleted; null: it was not. Its number stays.'),
    clientMessageId: z.string().nullable().describe('What the sender called it.'),
    delivered: z.boolean().describe('To its sender: every other member has it. To another member: she has it.'),
    read: z.boolean().describe('To its sender: every other member has read it. To another member: she has read it.'),
  }),
)

export const MessageVersionList = same<contract.MessageVersionList>()(
  z.object({
    messageId: MessageId,
    versions: z
      .array(
        z.object({
          revision: z.int().min(1),
          text: z.string().max(limits.textMax),
          since: z.date().describe('From when on the message had this text.'),
        }),
      )
      .describe(
        'The first one first, the present one last; at most 50 former ones: the first and the newest. None of a deleted message.',
      ),
  }),
)

export const Receipt = same<contract.Receipt>()(
  z.object({
    conversationId: ConversationId,
    userId: UserId,
    deliveredSeq: UpTo.describe('Everything up to and including this number has arrived; 0: nothing.'),
    readSeq: UpTo.describe('Everything up to and including this number was read; 0: nothing.'),
    version: Version,
  }),
)

export const Receipts = same<contract.Receipt[]>()(z.array(Receipt))

export const HistoryPage = same<contract.HistoryPage>()(
  z.object({
    conversationId: ConversationId,
    messages: z.array(Message).describe('Oldest first.'),
    people: z.array(Profile).describe('Everybody who sent one of these, and every member of a direct conversation.'),
    nextBefore: Seq.nullable().describe('The `before` of the page of older messages; null: there are none.'),
    nextAfter: Seq.nullable().describe('The `after` of the page of newer messages; null: there are none yet.'),
  }),
)

export const Conversation = same<contract.Conversation>()(
  z.object({
    id: ConversationId,
    kind: z.enum(['direct', 'group']),
    members: z.array(Profile),
    lastMessage: Message.nullable(),
    unread: z
      .int()
      .min(0)
      .describe('Messages of others that the caller has not read; deleted ones do not count. Exact.'),
    receipts: z.array(Receipt).describe('One for each member.'),
  }),
)

export const ConversationPage = same<contract.ConversationPage>()(
  z.object({
    conversations: z.array(Conversation).describe('The one with the newest message first.'),
    nextCursor: z.string().nullable().describe('The `cursor` of the next page; null: there is none.'),
  }),
)

export const OnlineUser = same<contract.OnlineUser>()(
  z.object({
    userId: UserId,
    displayName: z.string().max(limits.displayNameMax),
    since: z.date().describe('Since when this user is online.'),
  }),
)

export const OnlineUserPage = same<contract.OnlineUserPage>()(
  z.object({
    users: z.array(OnlineUser).describe('By user id.'),
    nextCursor: UserId.nullable().describe('The `cursor` of the next page; null: there is none.'),
  }),
)
