import { type Connection, type Model, type mongo, Schema, type SchemaDefinition } from 'mongoose'

/** All collections and their indices, in one place. Names of fields are the contract's. */

export interface UserDocument {
  /** The user id. */
  _id: string
  displayName: string
  /** When the profile last changed. */
  version: number
  passwordHash: string
  createdAt: Date
  lastSeenAt?: Date
}

export interface SessionDocument {
  /** The hash of the token. */
  _id: string
  userId: string
  createdAt: Date
  expiresAt: Date
}

/** Where a conversation stands. Written after its newest message, so that it may lag behind it, and never runs ahead. */
export interface ConversationDocument {
  /** The conversation's id. */
  _id: string
  kind: 'direct' | 'group'
  audience: string[]
  lastSeq: number
  lastSentAt: Date
  /** At which the newest message was sent. */
  lastVersion: number
  /** Who sent the newest message, and its `senderOrdinal`. Not there before the first one. */
  lastSender?: string
  lastSenderOrdinal?: number
}

/** A membership and its receipt. It stays when the member has left: what was said before may still be read. */
export interface MemberDocument {
  /** `<conversationId> <userId>` */
  _id: string
  conversationId: string
  userId: string
  kind: 'direct' | 'group'
  audience: string[]
  deliveredSeq: number
  readSeq: number
  /** Of the receipt; 0: it never moved. */
  version: number
  fromSeq: number
  /** Not there: a member. */
  untilSeq?: number
  /** Earlier intervals of somebody who came back, oldest first. */
  former?: { fromSeq: number; untilSeq: number }[]
}

export interface MessageDocument {
  /**
   * The version at which it was sent. So the index that every collection has anyway finds what was sent lately, and no
   * message pays for another one. Messages that Parley 0.1 stored have their id here.
   */
  _id: number | string
  conversationId: string
  seq: number
  /** At which it was sent: the messages of a conversation come in the order of their numbers by it. */
  version: number
  /** `version` is not `_id`: the message was found late and got a new one, or Parley 0.1 stored it. */
  versionApart?: true
  audience: string[]
  sender: string
  /** How many messages of its sender the conversation has up to and including it. */
  senderOrdinal: number
  /** Only messages of groups have it, and only they are in the index by sender. */
  inGroup?: true
  text: string
  sentAt: Date
  /** Not there where the sender gave none. */
  clientMessageId?: string
  /** Not there: 1. */
  revision?: number
  editedAt?: Date
  deletedAt?: Date
  /** At which it was last edited or deleted. Not there: it never was. */
  changedVersion?: number
  /** When that was stored, by the database's clock: it tells whether it was so late that readers may be past the version. */
  changedAt?: Date
}

/** A text that a message had. */
export interface TextDocument {
  /** `<message id> <revision>` */
  _id: string
  conversationId: string
  messageId: string
  revision: number
  text: string
  since: Date
}

/** From where a user has signed in. */
export interface KnownNetworkDocument {
  /** `<user id> <hash of the network>` */
  _id: string
  userId: string
  seenAt: Date
}

/** A session that was ended, until it would have expired. */
export interface EndedSessionDocument {
  /** The hash of the token. */
  _id: string
  version: number
  expiresAt: Date
}

/** A node that was at work then. */
export interface NodeDocument {
  _id: string
  at: Date
}

/** The number of a running node, which no other has. */
export interface NodeNumberDocument {
  _id: number
  owner: string
  until: Date
}

/** Which schema this database has, and its name among others: one document. */
export interface SchemaDocument {
  _id: 'schema'
  version: number
  storeId: string
  createdAt: Date
  /** An older database is being brought up to this schema: from which one, by whom, and up to which conversation. */
  upgrade?: { from: number; owner: string; until: Date; conversation?: string }
  /** This is a copy that is not finished: of which store, and how far it is. */
  copyOf?: { storeId: string; section?: string; id?: string; seq?: number }
}

const text = { type: String, required: true } as const
const number = { type: Number, required: true } as const
const date = { type: Date, required: true } as const
const kind = { type: String, enum: ['direct', 'group'], required: true } as const

/**
 * Who reads of it, by two keys at most: the two people of a direct conversation, or the group. One entry in an index for
 * each reader of a group would make a message to 1,000 people a thousand writes.
 */
const audience = { type: [String], required: true } as const

type MakeSchema = <Document>(fields: { [Field in keyof Document]-?: SchemaDefinition[string] }) => Schema

const collections = (readConcern: 'majority' | 'local') => {
  const schema: MakeSchema = (fields) =>
    new Schema(fields as SchemaDefinition, {
      versionKey: false,
      autoIndex: false,
      autoCreate: false,
      // What is not durable yet may be rolled back: whoever has seen it would see another message in its place.
      readConcern: { level: readConcern },
    })

  const users = schema<UserDocument>({
    _id: text,
    displayName: text,
    version: number,
    passwordHash: text,
    createdAt: date,
    lastSeenAt: Date,
  })
  users.index({ version: 1 }, { name: 'user_by_version' })

  const sessions = schema<SessionDocument>({ _id: text, userId: text, createdAt: date, expiresAt: date })
  sessions.index({ expiresAt: 1 }, { name: 'session_by_expiry' })
  sessions.index({ userId: 1 }, { name: 'session_by_user' })

  const conversations = schema<ConversationDocument>({
    _id: text,
    kind,
    audience,
    lastSeq: number,
    lastSentAt: date,
    lastVersion: number,
    lastSender: String,
    lastSenderOrdinal: Number,
  })
  conversations.index({ audience: 1, lastVersion: -1 }, { name: 'conversation_by_audience' })

  const members = schema<MemberDocument>({
    _id: text,
    conversationId: text,
    userId: text,
    kind,
    audience,
    deliveredSeq: number,
    readSeq: number,
    version: number,
    fromSeq: number,
    untilSeq: Number,
    former: Array,
  })
  members.index({ conversationId: 1, userId: 1 }, { name: 'member_by_conversation', unique: true })
  members.index({ userId: 1, kind: 1 }, { name: 'member_by_user' })
  members.index({ audience: 1, version: 1 }, { name: 'member_by_audience' })
  // Partial, so that a new conversation does not pay for it.
  members.index({ version: 1 }, { name: 'member_by_version', partialFilterExpression: { version: { $gt: 0 } } })

  return { users, sessions, conversations, members, messages: messagesSchema(schema), ...smallCollections(schema) }
}

/** What a new message pays for is `_id`, `message_by_seq`, `message_by_client_id` and `message_by_audience`. */
const messagesSchema = (schema: MakeSchema) => {
  const messages = schema<MessageDocument>({
    _id: { type: Schema.Types.Mixed, required: true },
    conversationId: text,
    seq: number,
    version: number,
    versionApart: Boolean,
    audience,
    sender: text,
    senderOrdinal: number,
    inGroup: Boolean,
    text,
    sentAt: date,
    clientMessageId: String,
    revision: Number,
    editedAt: Date,
    deletedAt: Date,
    changedVersion: Number,
    changedAt: Date,
  })
  const only = (name: string, partialFilterExpression: object) => ({ name, partialFilterExpression })
  messages.index({ conversationId: 1, seq: 1 }, { name: 'message_by_seq', unique: true })
  messages.index(
    { conversationId: 1, sender: 1, clientMessageId: 1 },
    { ...only('message_by_client_id', { clientMessageId: { $exists: true } }), unique: true },
  )
  messages.index({ audience: 1, version: 1 }, { name: 'message_by_audience' })
  // In a direct conversation the ordinals of both people follow from any message; in a group they do not.
  messages.index({ conversationId: 1, sender: 1, seq: 1 }, only('message_in_group_by_sender', { inGroup: true }))
  messages.index({ version: 1 }, only('message_by_version_apart', { versionApart: true }))
  const changed = { changedVersion: { $exists: true } }
  messages.index({ audience: 1, changedVersion: 1 }, only('changed_message_by_audience', changed))
  messages.index({ changedVersion: 1 }, only('changed_message_by_version', changed))
  messages.index(
    { conversationId: 1, seq: 1, sender: 1 },
    only('deleted_message_by_seq', { deletedAt: { $exists: true } }),
  )
  return messages
}

const smallCollections = (schema: MakeSchema) => {
  const messageTexts = schema<TextDocument>({
    _id: text,
    conversationId: text,
    messageId: text,
    revision: number,
    text,
    since: date,
  })
  messageTexts.index({ messageId: 1, revision: 1 }, { name: 'text_by_message' })

  const endedSessions = schema<EndedSessionDocument>({ _id: text, version: number, expiresAt: date })
  endedSessions.index({ version: 1 }, { name: 'ended_session_by_version' })
  endedSessions.index({ expiresAt: 1 }, { name: 'ended_session_by_expiry' })

  const knownNetworks = schema<KnownNetworkDocument>({ _id: text, userId: text, seenAt: date })
  knownNetworks.index({ userId: 1, seenAt: -1 }, { name: 'known_network_by_user' })
  knownNetworks.index({ seenAt: 1 }, { name: 'known_network_by_time' })

  const nodes = schema<NodeDocument>({ _id: text, at: date })
  const nodeNumbers = schema<NodeNumberDocument>({ _id: number, owner: text, until: date })
  const meta = schema<SchemaDocument>({
    _id: text,
    version: number,
    storeId: text,
    createdAt: date,
    upgrade: Object,
    copyOf: Object,
  })

  return { messageTexts, endedSessions, knownNetworks, nodes, nodeNumbers, meta }
}

export interface Models {
  users: Model<UserDocument>
  sessions: Model<SessionDocument>
  conversations: Model<ConversationDocument>
  members: Model<MemberDocument>
  messages: Model<MessageDocument>
  messageTexts: Model<TextDocument>
  endedSessions: Model<EndedSessionDocument>
  knownNetworks: Model<KnownNetworkDocument>
  nodes: Model<NodeDocument>
  nodeNumbers: Model<NodeNumberDocument>
  meta: Model<SchemaDocument>
}

export const collectionNames = [
  'users',
  'sessions',
  'conversations',
  'members',
  'messages',
  'messageTexts',
  'endedSessions',
  'knownNetworks',
  'nodes',
  'nodeNumbers',
  'meta',
] as const

export const defineModels = (connection: Connection, readConcern: 'majority' | 'local'): Models => {
  const schemas = collections(readConcern)
  const model = (name: keyof Models) => connection.model(name, schemas[name] as Schema, name)
  return Object.fromEntries(collectionNames.map((name) => [name, model(name)])) as unknown as Models
}

/** The driver's own collection: what was checked at the door is written without a second look at each field. */
export const native = <Document extends { _id: unknown }>(model: Model<Document>): mongo.Collection<Document> =>
  model.collection as unknown as mongo.Collection<Document>

/**
 * For `sh.shardCollection`: all that belongs to a conversation lies together, and every unique index begins with its key.
 * The small ones without a conversation can stay unsharded.
 */
export const shardKeys: Record<'conversations' | 'members' | 'messages' | 'messageTexts', Record<string, 1>> = {
  conversations: { _id: 1 },
  members: { conversationId: 1 },
  messages: { conversationId: 1 },
  messageTexts: { conversationId: 1 },
}
