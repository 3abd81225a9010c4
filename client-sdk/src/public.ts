export type {
  CaughtUpEvent,
  ChatEvent,
  Conversation,
  ConversationPage,
  HistoryPage,
  Message,
  MessageVersionList,
  MissedConversation,
  OnlineUser,
  OnlineUserPage,
  Profile,
  ReadyEvent,
  Receipt,
  Session,
  SignedIn,
  Status,
  StatusEvent,
  TextVersion,
  User,
} from '../../server/contract/index.ts'
export { limits } from '../../server/contract/limits.ts'
export { directMembers } from '../../server/contract/places.ts'
export type { ParleyRouter } from '../../server/trpc/client-router.ts'
export type { Call, CallName, CallOptions, Calls, Inputs, Outputs } from './calls.ts'
export { type Chat, type ChatOptions, createChat } from './chat/chat.ts'
export type { ConversationSnapshot, ConversationView } from './chat/conversation.ts'
export type { ConversationSummary, ConversationsSnapshot, ConversationsView } from './chat/conversations.ts'
export { indexedDbStorage } from './chat/indexed-db.ts'
export type { ChatMessage, MessageChange } from './chat/message.ts'
export type { Outbox, SavedChange } from './chat/outbox.ts'
export type { Outgoing, OutgoingChange, OutgoingMessage } from './chat/outgoing.ts'
export type { PresenceView } from './chat/presence.ts'
export {
  alone,
  type ChangeDraft,
  type DeleteDraft,
  type Draft,
  type EditDraft,
  type MessageDraft,
  memoryStorage,
  type OpenOutboxStorage,
  type OutboxOwner,
  type OutboxStorage,
  type StorageNews,
} from './chat/storage.ts'
export type { View } from './chat/view.ts'
export type { ChatClient, ClientOptions } from './client.ts'
export { ChatError, type ErrorFacts, type ErrorKind } from './errors.ts'
export type { FeedEvent, PutBack } from './feed.ts'
export type { FollowOptions, Loops, StatusOptions } from './follow.ts'
export type { PastOptions } from './past-messages.ts'
export type { TokenReason, TokenSource } from './session.ts'
export type { ClientState } from './state.ts'
export type { Transport } from './transport.ts'
