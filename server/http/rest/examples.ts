import type {
  ConversationPage,
  HistoryPage,
  MarkDelivered,
  Message,
  OnlineUserPage,
  Receipt,
  Register,
  SendMessage,
  SignedIn,
} from '../../contract/index.ts'

/** One small world, Ada and Bob, for all examples of the document; the type of each is that of what it shows. */
const conversationId = 'dm:ada:bob'

const message: Message = {
  id: `${conversationId}:3`,
  conversationId,
  seq: 3,
  version: 1_184,
  sender: 'ada',
  text: 'Hello, Bob!',
  sentAt: new Date('2026-01-31T12:00:00Z'),
  clientMessageId: null,
  delivered: true,
  read: false,
}

const receiptOf = (username: string, deliveredSeq: number, readSeq: number): Receipt => ({
  conversationId,
  username,
  deliveredSeq,
  readSeq,
  version: 1_190,
})

const account: Register = { username: 'ada', password: 'correct horse battery', displayName: 'Ada L.' }
/** Without a `clientMessageId`: who tries it with another text would meet a conflict. */
const draft: SendMessage = { to: 'bob', text: 'Hello, Bob!' }
const arrived: MarkDelivered = [{ conversationId, seq: 3 }]
const user = { username: 'ada', displayName: 'Ada L.', createdAt: new Date('2026-01-30T09:30:00Z') }
const signedIn: SignedIn = {
  user,
  session: { token: 'q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c', expiresAt: new Date('2026-03-01T09:30:00Z') },
}
const page: HistoryPage = { conversationId, messages: [message], nextBefore: 3, nextAfter: null }
const conversationPage: ConversationPage = {
  conversations: [
    {
      id: conversationId,
      kind: 'direct',
      members: ['ada', 'bob'],
      lastMessage: message,
      unread: 0,
      receipts: [receiptOf('ada', 3, 3), receiptOf('bob', 3, 2)],
    },
  ],
  nextCursor: null,
}
const online: OnlineUserPage = {
  users: [{ username: 'bob', since: new Date('2026-01-31T11:58:20Z') }],
  nextCursor: null,
}

export const examples = {
  account,
  credentials: { username: account.username, password: account.password },
  draft,
  arrived,
  user,
  signedIn,
  message,
  page,
  conversationPage,
  online,
  receipt: receiptOf('bob', 3, 3),
  receipts: [receiptOf('bob', 3, 2)],
}
