import type {
  ConversationPage,
  HistoryPage,
  MarkDelivered,
  Message,
  MessageVersionList,
  OnlineUserPage,
  Profile,
  Receipt,
  Register,
  SendMessage,
  SignedIn,
  UpdateProfile,
  User,
} from '../../contract/index.ts'
import type { EditText } from './bodies.ts'

/** One small world, Ada and Bob, for all examples of the document; the type of each is that of what it shows. */
const conversationId = 'dm:ada:bob'

const message: Message = {
  id: `${conversationId}:3`,
  conversationId,
  seq: 3,
  version: 1_184,
  sender: 'ada',
  text: 'Hello, Bob!',
  revision: 1,
  sentAt: new Date('2026-01-31T12:00:00Z'),
  editedAt: null,
  deletedAt: null,
  clientMessageId: null,
  delivered: true,
  read: false,
}

const editedAt = new Date('2026-01-31T12:01:30Z')
const edited: Message = { ...message, version: 1_201, text: 'Hello, dear Bob!', revision: 2, editedAt }
const deletedAt = new Date('2026-01-31T12:05:00Z')
const deleted: Message = { ...message, version: 1_217, text: '', deletedAt }
const editText: EditText = { text: 'Hello, dear Bob!', revision: 1 }
const versions: MessageVersionList = {
  messageId: message.id,
  versions: [
    { revision: 1, text: message.text, since: message.sentAt },
    { revision: 2, text: edited.text, since: editedAt },
  ],
}

const receiptOf = (userId: string, deliveredSeq: number, readSeq: number): Receipt => ({
  conversationId,
  userId,
  deliveredSeq,
  readSeq,
  version: 1_190,
})

const account: Register = { username: 'ada', password: 'correct horse battery', displayName: 'Ada L.' }
/** Without a `clientMessageId`: who tries it with another text would meet a conflict. */
const draft: SendMessage = { to: 'bob', text: 'Hello, Bob!' }
const arrived: MarkDelivered = [{ conversationId, seq: 3 }]
const profileChange: UpdateProfile = { displayName: 'Ada L.' }
const ada: Profile = { userId: 'ada', displayName: 'Ada L.', version: 1_102 }
const bob: Profile = { userId: 'bob', displayName: 'bob', version: 1_110 }
const user: User = { ...ada, createdAt: new Date('2026-01-30T09:30:00Z') }
const signedIn: SignedIn = {
  user,
  session: { token: 'q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c', expiresAt: new Date('2026-03-01T09:30:00Z') },
}
const page: HistoryPage = {
  conversationId,
  messages: [message],
  people: [ada, bob],
  nextBefore: 3,
  nextAfter: null,
}
const conversationPage: ConversationPage = {
  conversations: [
    {
      id: conversationId,
      kind: 'direct',
      members: [ada, bob],
      lastMessage: message,
      unread: 0,
      receipts: [receiptOf('ada', 3, 3), receiptOf('bob', 3, 2)],
    },
  ],
  nextCursor: null,
}
const online: OnlineUserPage = {
  users: [{ userId: 'bob', displayName: 'bob', since: new Date('2026-01-31T11:58:20Z') }],
  nextCursor: null,
}

export const examples = {
  account,
  credentials: { username: account.username, password: account.password },
  draft,
  arrived,
  user,
  signedIn,
  profileChange,
  message,
  edited,
  deleted,
  editText,
  versions,
  page,
  conversationPage,
  online,
  receipt: receiptOf('bob', 3, 3),
  receipts: [receiptOf('bob', 3, 2)],
}
