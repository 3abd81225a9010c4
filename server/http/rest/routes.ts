import type { z } from 'zod'
import * as answers from '../../contract/answers.ts'
import {
  type ConversationPage,
  DeleteMessage,
  directConversationId,
  EditMessage,
  type ErrorKind,
  History,
  type HistoryPage,
  Login,
  MarkDelivered,
  MarkRead,
  MessageVersions,
  type OnlineUserPage,
  Register,
  SendMessage,
  UpdateProfile,
} from '../../contract/index.ts'
import type { AppRouter } from '../../trpc/router.ts'
import { EditText } from './bodies.ts'
import { examples } from './examples.ts'
import { ConversationList, ConversationMessages, MessagesBetween, OnlineUserList } from './query.ts'

type Procedures = AppRouter['_def']['procedures']

/** The procedures that answer once. Subscriptions have no route: they are streams, over `/trpc`. */
export type CalledProcedure = {
  [Name in keyof Procedures]: Procedures[Name]['_def']['type'] extends 'subscription' ? never : Name
}[keyof Procedures]

/** Pages beside this one: the path and the query of each, as in a `Link` header (RFC 8288). */
export type Links = Partial<Record<'prev' | 'next', { path: string; query: Record<string, string | number> }>>

/** What a route is, for the server that runs it and for the document that describes it. */
export interface Route {
  /** Unique; the procedure's name unless that has two routes. */
  id: string
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** As OpenAPI writes it. */
  path: string
  procedure: CalledProcedure
  /** 204: no body. */
  status: 200 | 201 | 204
  /** Needs no session; a token that came along does not matter, not even one that has ended. */
  isPublic?: true
  /** Instead of the procedure's description, where two routes share it. */
  summary?: string
  /** What the procedure's own description does not say. */
  note?: string
  params?: Record<string, z.ZodType>
  query?: z.ZodObject
  /** Sent as JSON. The procedure's input is made of the body and the path, without a body of path and query. */
  body?: z.ZodType
  /** The procedure's input, where it is not simply that. */
  input?(given: Record<string, unknown>): unknown
  answer?: z.ZodType
  links?(answer: unknown, given: Record<string, unknown>): Links
  /** Beside those that every call can meet. */
  errors: ErrorKind[]
  examples: { given?: Record<string, string | number>; body?: unknown; answer?: unknown }
}

/** Older messages are `prev`, newer ones `next`, both by `seq`: exact, whatever the times. */
const historyLinks = (answer: unknown, { limit }: Record<string, unknown>): Links => {
  const { conversationId, nextBefore, nextAfter } = answer as HistoryPage
  const path = `/api/conversations/${encodeURIComponent(conversationId)}/messages`
  return {
    ...(nextBefore !== null && { prev: { path, query: { limit: Number(limit), before: nextBefore } } }),
    ...(nextAfter !== null && { next: { path, query: { limit: Number(limit), after: nextAfter } } }),
  }
}

const cursorLinks =
  (path: string) =>
  (answer: unknown, { limit }: Record<string, unknown>): Links => {
    const { nextCursor } = answer as ConversationPage | OnlineUserPage
    return nextCursor === null ? {} : { next: { path, query: { limit: Number(limit), cursor: nextCursor } } }
  }

const theId = 'The `id` of a message, percent-encoded.'

/** Every call of the API that answers once. The routes and the OpenAPI document both come from here. */
export const routes: Route[] = [
  {
    id: 'register',
    method: 'POST',
    path: '/api/register',
    procedure: 'register',
    status: 201,
    isPublic: true,
    body: Register,
    answer: answers.SignedIn,
    errors: ['usernameTaken', 'commonPassword', 'rateLimited'],
    examples: { body: examples.account, answer: examples.signedIn },
  },
  {
    id: 'login',
    method: 'POST',
    path: '/api/login',
    procedure: 'login',
    status: 200,
    isPublic: true,
    body: Login,
    answer: answers.SignedIn,
    errors: ['badCredentials', 'rateLimited'],
    examples: { body: examples.credentials, answer: examples.signedIn },
  },
  {
    id: 'logout',
    method: 'POST',
    path: '/api/logout',
    procedure: 'logout',
    status: 204,
    errors: [],
    examples: {},
  },
  {
    id: 'me',
    method: 'GET',
    path: '/api/me',
    procedure: 'me',
    status: 200,
    answer: answers.User,
    errors: [],
    examples: { answer: examples.user },
  },
  {
    id: 'updateProfile',
    method: 'PATCH',
    path: '/api/me',
    procedure: 'updateProfile',
    status: 200,
    body: UpdateProfile,
    answer: answers.User,
    errors: ['rateLimited'],
    examples: { body: examples.profileChange, answer: examples.user },
  },
  {
    id: 'onlineUsers',
    method: 'GET',
    path: '/api/online-users',
    procedure: 'onlineUsers',
    status: 200,
    query: OnlineUserList,
    answer: answers.OnlineUserPage,
    links: cursorLinks('/api/online-users'),
    errors: [],
    examples: { answer: examples.online },
  },
  {
    id: 'sendMessage',
    method: 'POST',
    path: '/api/messages',
    procedure: 'sendMessage',
    status: 201,
    note: 'Safe to repeat with the same `clientMessageId`: a repeat answers with the first message.',
    body: SendMessage,
    answer: answers.Message,
    errors: ['notMember', 'unknownUser', 'conflict', 'rateLimited'],
    examples: { body: examples.draft, answer: examples.message },
  },
  {
    id: 'messagesBetween',
    method: 'GET',
    path: '/api/messages/history',
    procedure: 'history',
    status: 200,
    summary: 'One page of the messages between two users, one of whom is the caller; oldest message first.',
    note:
      'Several messages can bear one time, so to read all of a conversation page on with the `Link` header, or with ' +
      '`nextBefore` at `GET /api/conversations/{conversation}/messages`.',
    query: MessagesBetween,
    input: (given) => {
      const { sender, receiver, limit, before } = given as z.output<typeof MessagesBetween>
      return { conversation: directConversationId(sender, receiver), limit, beforeTime: before }
    },
    answer: answers.HistoryPage,
    links: historyLinks,
    errors: ['notMember', 'unknownUser'],
    examples: { given: { sender: 'ada', receiver: 'bob', limit: 1 }, answer: examples.page },
  },
  {
    id: 'editMessage',
    method: 'PATCH',
    path: '/api/messages/{messageId}',
    procedure: 'editMessage',
    status: 200,
    note: 'Safe to repeat: the same edit again answers with the message. Of two edits of one revision the second is a `conflict`.',
    params: { messageId: EditMessage.shape.messageId.describe(theId) },
    body: EditText,
    answer: answers.Message,
    errors: ['unknownMessage', 'notAllowed', 'editWindowOver', 'conflict', 'messageDeleted', 'rateLimited'],
    examples: { given: { messageId: examples.edited.id }, body: examples.editText, answer: examples.edited },
  },
  {
    id: 'deleteMessage',
    method: 'DELETE',
    path: '/api/messages/{messageId}',
    procedure: 'deleteMessage',
    status: 200,
    note: 'Answers with what is left of it. Safe to repeat.',
    params: { messageId: DeleteMessage.shape.messageId.describe(theId) },
    answer: answers.Message,
    errors: ['unknownMessage', 'notAllowed', 'rateLimited'],
    examples: { given: { messageId: examples.deleted.id }, answer: examples.deleted },
  },
  {
    id: 'messageVersions',
    method: 'GET',
    path: '/api/messages/{messageId}/versions',
    procedure: 'messageVersions',
    status: 200,
    params: { messageId: MessageVersions.shape.messageId.describe(theId) },
    answer: answers.MessageVersionList,
    errors: ['unknownMessage'],
    examples: { given: { messageId: examples.edited.id }, answer: examples.versions },
  },
  {
    id: 'markRead',
    method: 'POST',
    path: '/api/messages/{messageId}/read',
    procedure: 'markRead',
    status: 200,
    params: { messageId: MarkRead.shape.messageId.describe(theId) },
    answer: answers.Receipt,
    errors: ['unknownMessage'],
    examples: { given: { messageId: examples.message.id }, answer: examples.receipt },
  },
  {
    id: 'markDelivered',
    method: 'POST',
    path: '/api/messages/delivered',
    procedure: 'markDelivered',
    status: 200,
    note: 'Reading the history does not say so by itself. Answers with the receipts that moved.',
    body: MarkDelivered,
    answer: answers.Receipts,
    errors: ['unknownMessage'],
    examples: { body: examples.arrived, answer: examples.receipts },
  },
  {
    id: 'conversations',
    method: 'GET',
    path: '/api/conversations',
    procedure: 'conversations',
    status: 200,
    query: ConversationList,
    answer: answers.ConversationPage,
    links: cursorLinks('/api/conversations'),
    errors: ['badCursor'],
    examples: { answer: examples.conversationPage },
  },
  {
    id: 'history',
    method: 'GET',
    path: '/api/conversations/{conversation}/messages',
    procedure: 'history',
    status: 200,
    note: 'Give at most one of `before`, `after`, `around` and `beforeTime`; without one it is the newest page.',
    params: {
      conversation: History.shape.conversation.describe('A user id (the direct conversation) or a conversation id.'),
    },
    query: ConversationMessages,
    answer: answers.HistoryPage,
    links: historyLinks,
    errors: ['notMember', 'unknownUser'],
    examples: { given: { conversation: 'bob', limit: 1 }, answer: examples.page },
  },
]
