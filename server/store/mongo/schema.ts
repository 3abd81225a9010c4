import { type Connection, type Model, type mongo, type PipelineStage, Schema, type SchemaDefinition } from 'mongoose'
import { inTime } from './errors.ts'
import { waitMaxMs } from './limits.ts'

/** All collections and their indices, in one place. Names of fields are the contract's. */

export interface UserDocument {
  /** The username. */
  _id: string
  displayName: string
  passwordHash: string
  createdAt: Date
  lastSeenAt?: Date
}

export interface SessionDocument {
  /** The hash of the token. */
  _id: string
  username: string
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
  /** Of the newest message. */
  lastVersion: number
}

/** A member and her receipt. */
export interface MemberDocument {
  /** `<conversationId> <username>` */
  _id: string
  conversationId: string
  username: string
  kind: 'direct' | 'group'
  audience: string[]
  deliveredSeq: number
  readSeq: number
  version: number
}

export interface MessageDocument {
  /** The message's id. */
  _id: string
  conversationId: string
  seq: number
  version: number
  audience: string[]
  sender: string
  text: string
  sentAt: Date
  /** Not there where the sender gave none. */
  clientMessageId?: string
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

const collections = (readConcern: 'majority' | 'local') => {
  const schema = <Document>(fields: { [Field in keyof Document]-?: SchemaDefinition[string] }): Schema =>
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
    passwordHash: text,
    createdAt: date,
    lastSeenAt: Date,
  })

  const sessions = schema<SessionDocument>({ _id: text, username: text, createdAt: date, expiresAt: date })
  sessions.index({ expiresAt: 1 }, { name: 'session_by_expiry' })
  sessions.index({ username: 1 }, { name: 'session_by_user' })

  const conversations = schema<ConversationDocument>({
    _id: text,
    kind,
    audience,
    lastSeq: number,
    lastSentAt: date,
    lastVersion: number,
  })
  conversations.index({ audience: 1, lastVersion: -1 }, { name: 'conversation_by_audience' })

  const members = schema<MemberDocument>({
    _id: text,
    conversationId: text,
    username: text,
    kind,
    audience,
    deliveredSeq: number,
    readSeq: number,
    version: number,
  })
  members.index({ conversationId: 1, username: 1 }, { name: 'member_by_conversation', unique: true })
  members.index({ username: 1, kind: 1 }, { name: 'member_by_user' })
  members.index({ audience: 1, version: 1 }, { name: 'member_by_audience' })

  const messages = schema<MessageDocument>({
    _id: text,
    conversationId: text,
    seq: number,
    version: number,
    audience,
    sender: text,
    text,
    sentAt: date,
    clientMessageId: String,
  })
  messages.index({ conversationId: 1, seq: 1 }, { name: 'message_by_seq', unique: true })
  messages.index(
    { conversationId: 1, sender: 1, clientMessageId: 1 },
    {
      name: 'message_by_client_id',
      unique: true,
      partialFilterExpression: { clientMessageId: { $exists: true } },
    },
  )
  messages.index({ audience: 1, version: 1 }, { name: 'message_by_audience' })

  const endedSessions = schema<EndedSessionDocument>({ _id: text, version: number, expiresAt: date })
  endedSessions.index({ version: 1 }, { name: 'ended_session_by_version' })
  endedSessions.index({ expiresAt: 1 }, { name: 'ended_session_by_expiry' })

  const nodes = schema<NodeDocument>({ _id: text, at: date })
  const nodeNumbers = schema<NodeNumberDocument>({ _id: number, owner: text, until: date })
  const meta = schema<SchemaDocument>({ _id: text, version: number, storeId: text, createdAt: date, copyOf: Object })

  return { users, sessions, conversations, members, messages, endedSessions, nodes, nodeNumbers, meta }
}

export interface Models {
  users: Model<UserDocument>
  sessions: Model<SessionDocument>
  conversations: Model<ConversationDocument>
  members: Model<MemberDocument>
  messages: Model<MessageDocument>
  endedSessions: Model<EndedSessionDocument>
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
  'endedSessions',
  'nodes',
  'nodeNumbers',
  'meta',
] as const

export const defineModels = (connection: Connection, readConcern: 'majority' | 'local'): Models => {
  const schemas = collections(readConcern)
  const model = (name: keyof Models) => connection.model(name, schemas[name] as Schema, name)
  return Object.fromEntries(collectionNames.map((name) => [name, model(name)])) as unknown as Models
}

/** With the read concern of its schema, which mongoose gives to queries alone. */
export const aggregate = <Result>(
  model: Models['members'] | Models['messages'],
  pipeline: PipelineStage[],
): Promise<Result[]> =>
  inTime(
    model
      .aggregate<Result>(pipeline, { maxTimeMS: waitMaxMs })
      .readConcern(model.schema.get('readConcern')?.level ?? 'majority')
      .exec(),
  )

/** The driver's own collection: what was checked at the door is written without a second look at each field. */
export const native = <Document extends { _id: unknown }>(model: Model<Document>): mongo.Collection<Document> =>
  model.collection as unknown as mongo.Collection<Document>

/**
 * For `sh.shardCollection`: all that belongs to a conversation lies together, and every unique index begins with its key.
 * The small ones without a conversation can stay unsharded.
 */
export const shardKeys: Record<'conversations' | 'members' | 'messages', Record<string, 1>> = {
  conversations: { _id: 1 },
  members: { conversationId: 1 },
  messages: { conversationId: 1 },
}
