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
export { type Chat, type ChatOptions, createChat } from './chat/chat.ts'
export type { ConversationSnapshot, ConversationView } from './chat/conversation.ts'
export type { ConversationSummary, ConversationsSnapshot, ConversationsView } from './chat/conversations.ts'
export type { ChatMessage, MessageChange } from './chat/message.ts'
export { indexedDbStorage } from './chat/outbox/indexed-db.ts'
export type { Outbox, SavedChange } from './chat/outbox/outbox.ts'
export type { Outgoing, OutgoingChange, OutgoingMessage } from './chat/outbox/outgoing.ts'
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
} from './chat/outbox/storage.ts'
export type { PresenceView } from './chat/presence.ts'
export type { View } from './chat/view.ts'
export type { ChatClient, ClientOptions } from './client.ts'
export { ChatError, type ErrorFacts, type ErrorKind } from './connection/errors.ts'
export type { TokenReason } from './connection/machine.ts'
export type { ClientState } from './connection/state.ts'
export type { TokenSource } from './connection/token.ts'
export type { FeedEvent, Rewound } from './events/feed.ts'
export type { EventsOptions, Loops, StatusOptions } from './events/loops.ts'
export type { Call, CallName, CallOptions, Calls, Inputs, Outputs } from './requests/calls.ts'
export type { PastOptions } from './requests/history-iterator.ts'
export type { Transport } from './transport/transport.ts'
