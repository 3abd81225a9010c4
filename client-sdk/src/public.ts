export type {
  ChatEvent,
  Conversation,
  ConversationPage,
  HistoryPage,
  Message,
  OnlineUser,
  OnlineUserPage,
  ReadyEvent,
  Receipt,
  Session,
  SignedIn,
  Status,
  StatusEvent,
  User,
} from '../../server/contract/index.ts'
export type { ParleyRouter } from '../../server/trpc/client-router.ts'
export type { Call, CallName, CallOptions, Calls, Inputs, Outputs } from './calls.ts'
export type { ChatClient, ClientOptions } from './client.ts'
export { ChatError, type ErrorFacts, type ErrorKind } from './errors.ts'
export type { FeedEvent } from './feed.ts'
export type { FollowOptions, Loops, StatusOptions } from './follow.ts'
export type { TokenReason, TokenSource } from './session.ts'
export type { ClientState } from './state.ts'
