import type { Model } from 'mongoose'
import { messageId, messagePlace } from '../../contract/index.ts'
import {
  type Archive,
  type ArchivedMember,
  type ArchiveRows,
  type Key,
  keyOf,
  type Section,
  type UnfinishedArchive,
} from '../../domain/archive.ts'
import type { Log } from '../../domain/ports.ts'
import { connect, explained } from './connect.ts'
import { audienceOf, toDocument, toKept, toUser } from './documents.ts'
import { insertedOf } from './errors.ts'
import { networkId } from './known-networks.ts'
import { prepare } from './prepare.ts'
import { find } from './reads.ts'
import {
  type ConversationDocument,
  defineModels,
  type MemberDocument,
  type MessageDocument,
  type Models,
  native,
  type SessionDocument,
  type TextDocument,
  type UserDocument,
} from './schema.ts'
import { newMember } from './tails.ts'
import { textId } from './texts.ts'

type Read = { [S in Section]: (after: Key, limit: number) => Promise<ArchiveRows[S][]> }

const readsOf = (models: Models): Read => {
  const { users, sessions, endedSessions, knownNetworks, conversations, messages, messageTexts } = models
  const behind = ([id]: Key) => ({ _id: { $gt: id } })
  const page = (limit: number) => ({ sort: { _id: 1 }, limit }) as const

  return {
    users: async (after, limit) =>
      (await find(users, behind(after), page(limit))).map((document) => ({
        ...toUser(document),
        lastSeenAt: document.lastSeenAt ?? null,
      })),
    sessions: async (after, limit) =>
      (await find(sessions, behind(after), page(limit))).map(({ _id, userId, createdAt, expiresAt }) => ({
        tokenHash: _id,
        userId,
        createdAt,
        expiresAt,
      })),
    endedSessions: async (after, limit) =>
      (await find(endedSessions, behind(after), page(limit))).map(({ _id, version, expiresAt }) => ({
        tokenHash: _id,
        version,
        expiresAt,
      })),
    knownNetworks: async (after, limit) =>
      (await find(knownNetworks, behind(after), page(limit))).map(({ _id, userId, seenAt }) => ({
        userId,
        networkHash: _id.slice(userId.length + 1),
        seenAt,
      })),
    async conversations(after, limit) {
      const heads = await find(conversations, behind(after), page(limit))
      const [all, last] = await Promise.all([
        membersOf(
          models,
          heads.map(({ _id }) => _id),
        ),
        lastOf(models, heads),
      ])
      return heads.map(({ _id, kind }) => ({
        id: _id,
        kind,
        members: (all.get(_id) ?? []).map(toArchivedMember),
        last: last.get(_id) as ArchiveRows['conversations']['last'],
      }))
    },
    async messages([id, seq], limit) {
      const sort = { conversationId: 1, seq: 1 } as const
      const found = await find(messages, { conversationId: id, seq: { $gt: seq } }, { sort, limit })
      const left = limit - found.length
      if (left > 0) found.push(...(await find(messages, { conversationId: { $gt: id } }, { sort, limit: left })))
      return found.map(toKept)
    },
    async texts([id, revision], limit) {
      const sort = { messageId: 1, revision: 1 } as const
      const found = await find(messageTexts, { messageId: id, revision: { $gt: revision } }, { sort, limit })
      const left = limit - found.length
      if (left > 0) found.push(...(await find(messageTexts, { messageId: { $gt: id } }, { sort, limit: left })))
      return found.map(({ messageId, revision, text, since }) => ({
        ...messagePlace(messageId),
        revision,
        text,
        since,
      }))
    },
  }
}

const membersOf = async ({ members }: Models, ids: string[]): Promise<Map<string, MemberDocument[]>> => {
  const sort = { conversationId: 1, userId: 1 } as const
  const byConversation = new Map<string, MemberDocument[]>()
  for (const member of await find(members, { conversationId: { $in: ids } }, { sort })) {
    const known = byConversation.get(member.conversationId)
    if (known) known.push(member)
    else byConversation.set(member.conversationId, [member])
  }
  return byConversation
}

const toArchivedMember = (member: MemberDocument): ArchivedMember => ({
  userId: member.userId,
  deliveredSeq: member.deliveredSeq,
  readSeq: member.readSeq,
  version: member.version,
  fromSeq: member.fromSeq,
  untilSeq: member.untilSeq ?? null,
  former: (member.former ?? []).map(({ fromSeq, untilSeq }) => ({ fromSeq, untilSeq })),
})

type Last = Pick<MessageDocument, 'seq' | 'version' | 'sentAt'>

/** The messages themselves say which one is the last: a conversation may lag behind them. */
const lastOf = async (
  { messages }: Models,
  heads: ConversationDocument[],
): Promise<Map<string, ArchiveRows['conversations']['last']>> => {
  const last = new Map(
    heads.map(({ _id, lastSeq, lastVersion, lastSentAt }): [string, Last] => [
      _id,
      { seq: lastSeq, version: lastVersion, sentAt: lastSentAt },
    ]),
  )
  if (heads.length === 0) return last
  const notBefore = heads.map(({ _id, lastSeq }) => ({ conversationId: _id, seq: { $gte: lastSeq } }))
  const sort = { conversationId: 1, seq: 1 } as const
  for (const { conversationId, seq, version, sentAt } of await find(messages, { $or: notBefore }, { sort }))
    last.set(conversationId, { seq, version, sentAt })
  return last
}

const archiveOf = (models: Models): Pick<Archive, 'read' | 'count'> => {
  const read = readsOf(models)
  return {
    read: (section, after, limit) => read[section](after, limit),
    count: (section) => collectionOf(models, section).estimatedDocumentCount().exec(),
  }
}

/** Of all that holds rows of this section, the one that holds them one by one. */
const collectionOf = (models: Models, section: Section): Model<never> =>
  (section === 'texts' ? models.messageTexts : models[section]) as unknown as Model<never>

const open = async (uri: string, log: Log) => {
  const { connection, kind, close } = await connect(uri, log)
  return { connection, models: defineModels(connection, kind === 'standalone' ? 'local' : 'majority'), close }
}

/** The store in a database, to be read; no node may work on it meanwhile. @throws Error in plain words */
export const openMongoArchive = async (uri: string, log: Log): Promise<Archive> => {
  const { connection, models, close } = await open(uri, log)
  try {
    const meta = await models.meta.findById('schema', null, { lean: true })
    if (!meta) throw new Error(`There is no Parley store in the database ${connection.name}.`)
    await prepare(connection, models, log)
    const { trusted } = models.nodeNumbers.base
    const atWork = await models.nodeNumbers.countDocuments({ until: trusted({ $gte: new Date() }) })
    if (atWork > 0)
      throw new Error(
        `${atWork} Parley ${atWork === 1 ? 'node works' : 'nodes work'} on the database ${connection.name}; ` +
          'stop them first. One that was killed counts for a minute more.',
      )
    return { ...archiveOf(models), storeId: meta.storeId, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error instanceof Error && error.name.startsWith('Mongo') ? explained(error, uri) : error
  }
}

/** A copy of this store in a database that has none, begun or taken up again. @throws Error in plain words */
export const openUnfinishedMongoArchive = async (
  uri: string,
  storeId: string,
  log: Log,
): Promise<UnfinishedArchive> => {
  const { connection, models, close } = await open(uri, log)
  try {
    await prepare(connection, models, log, storeId)
    const meta = await models.meta.findById('schema', null, { lean: true })
    const section = meta?.copyOf?.section as Section | undefined
    const add = writesOf(models)
    return {
      ...archiveOf(models),
      storeId,
      progress: section ? { section, upTo: [meta?.copyOf?.id ?? '', meta?.copyOf?.seq ?? 0] } : null,
      async write(section, rows) {
        await add[section](rows)
        const last = rows.at(-1)
        if (!last) return
        const [id, seq] = keyOf(section, last)
        await models.meta.updateOne({ _id: 'schema' }, { $set: { copyOf: { storeId, section, id, seq } } })
      },
      async finish() {
        await models.meta.updateOne({ _id: 'schema' }, { $unset: { copyOf: 1 } })
      },
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error instanceof Error && error.name.startsWith('Mongo') ? explained(error, uri) : error
  }
}

/** What an earlier run has written is left as it is: it is the same, or the comparison says so. */
const insertMissing = async <Document extends { _id: unknown }>(
  model: Model<Document>,
  documents: Document[],
): Promise<void> => {
  if (documents.length === 0) return
  const failure = await native(model)
    .insertMany(documents as never[], { ordered: false })
    .then(
      () => null,
      (error: unknown) => error,
    )
  const inserted = insertedOf(documents.length, false, failure)
  if (!inserted || inserted.some(({ refused }) => refused)) throw failure
}

const writesOf = (models: Models): { [S in Section]: (rows: ArchiveRows[S][]) => Promise<void> } => ({
  users: (rows) =>
    insertMissing(
      models.users,
      rows.map(
        ({ userId, lastSeenAt, ...user }): UserDocument => ({
          _id: userId,
          ...user,
          ...(lastSeenAt && { lastSeenAt }),
        }),
      ),
    ),
  sessions: (rows) =>
    insertMissing(
      models.sessions,
      rows.map(({ tokenHash, ...session }): SessionDocument => ({ _id: tokenHash, ...session })),
    ),
  endedSessions: (rows) =>
    insertMissing(
      models.endedSessions,
      rows.map(({ tokenHash, ...ended }) => ({ _id: tokenHash, ...ended })),
    ),
  knownNetworks: (rows) =>
    insertMissing(
      models.knownNetworks,
      rows.map(({ userId, networkHash, seenAt }) => ({ _id: networkId(userId, networkHash), userId, seenAt })),
    ),
  async conversations(rows) {
    await insertMissing(
      models.members,
      rows.flatMap(({ id, members }) => members.map((member) => toMember(id, member))),
    )
    await insertMissing(
      models.conversations,
      rows.map(({ id, kind, last }) => ({
        _id: id,
        kind,
        audience: audienceOf(id),
        lastSeq: last.seq,
        lastVersion: last.version,
        lastSentAt: last.sentAt,
      })),
    )
  },
  async messages(rows) {
    await insertMissing(models.messages, rows.map(toDocument))
    await noteLastSenders(models, rows)
  },
  texts: (rows) =>
    insertMissing(
      models.messageTexts,
      rows.map(({ conversationId, seq, revision, text, since }): TextDocument => {
        const id = messageId(conversationId, seq)
        return { _id: textId(id, revision), conversationId, messageId: id, revision, text, since }
      }),
    ),
})

const toMember = (id: string, { untilSeq, former, ...member }: ArchivedMember): MemberDocument => ({
  ...newMember(id, member.userId, member.fromSeq),
  ...member,
  ...(untilSeq !== null && { untilSeq }),
  ...(former.length > 0 && { former }),
})

/** The next message of a conversation goes by who sent the last one. Rows come in the order of their numbers. */
const noteLastSenders = async ({ conversations }: Models, rows: ArchiveRows['messages'][]): Promise<void> => {
  const newest = new Map(rows.map((row) => [row.conversationId, row]))
  const updates = Array.from(newest.values(), ({ conversationId, seq, sender, senderOrdinal }) => ({
    updateOne: {
      filter: { _id: conversationId, lastSeq: seq },
      update: { $set: { lastSender: sender, lastSenderOrdinal: senderOrdinal } },
    },
  }))
  if (updates.length > 0) await native(conversations).bulkWrite(updates, { ordered: false })
}
