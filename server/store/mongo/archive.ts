import type { Model } from 'mongoose'
import { messageId } from '../../contract/index.ts'
import {
  type Archive,
  type ArchiveRows,
  type Key,
  keyOf,
  type Section,
  type UnfinishedArchive,
} from '../../domain/archive.ts'
import type { Log } from '../../domain/ports.ts'
import { connect, explained } from './connect.ts'
import { audienceOf, memberId } from './documents.ts'
import { insertedOf } from './errors.ts'
import { prepare } from './prepare.ts'
import {
  type ConversationDocument,
  defineModels,
  type MemberDocument,
  type MessageDocument,
  type Models,
  native,
  type SessionDocument,
  type UserDocument,
} from './schema.ts'

type Read = { [S in Section]: (after: Key, limit: number) => Promise<ArchiveRows[S][]> }

const readsOf = ({ users, sessions, endedSessions, conversations, members, messages }: Models): Read => {
  const { trusted } = users.base
  const behind = (id: string) => ({ _id: trusted({ $gt: id }) })
  const pageOf = (limit: number) => ({ lean: true, sort: { _id: 1 }, limit }) as const

  const membersOf = async (ids: string[]): Promise<Map<string, MemberDocument[]>> => {
    const found = await members.find({ conversationId: trusted({ $in: ids }) }, null, {
      lean: true,
      sort: { conversationId: 1, username: 1 },
    })
    const byConversation = new Map<string, MemberDocument[]>()
    for (const member of found)
      byConversation.set(member.conversationId, [...(byConversation.get(member.conversationId) ?? []), member])
    return byConversation
  }

  /** The messages themselves say which one is the last: a conversation may lag behind them. */
  const lastOf = async (heads: ConversationDocument[]): Promise<Map<string, ArchiveRows['conversations']['last']>> => {
    const last = new Map(
      heads.map(({ _id, lastSeq, lastVersion, lastSentAt }) => [
        _id,
        { seq: lastSeq, version: lastVersion, sentAt: lastSentAt },
      ]),
    )
    if (heads.length === 0) return last
    const notBefore = heads.map(({ _id, lastSeq }) => ({ conversationId: _id, seq: trusted({ $gte: lastSeq }) }))
    const found = await messages.find(
      { $or: notBefore },
      { conversationId: 1, seq: 1, version: 1, sentAt: 1 },
      { lean: true, sort: { conversationId: 1, seq: 1 } },
    )
    for (const { conversationId, seq, version, sentAt } of found) last.set(conversationId, { seq, version, sentAt })
    return last
  }

  return {
    users: async ([after], limit) =>
      (await users.find(behind(after), null, pageOf(limit))).map(
        ({ _id, displayName, passwordHash, createdAt, lastSeenAt }) => ({
          username: _id,
          displayName,
          passwordHash,
          createdAt,
          lastSeenAt: lastSeenAt ?? null,
        }),
      ),
    sessions: async ([after], limit) =>
      (await sessions.find(behind(after), null, pageOf(limit))).map(({ _id, username, createdAt, expiresAt }) => ({
        tokenHash: _id,
        username,
        createdAt,
        expiresAt,
      })),
    endedSessions: async ([after], limit) =>
      (await endedSessions.find(behind(after), null, pageOf(limit))).map(({ _id, version, expiresAt }) => ({
        tokenHash: _id,
        version,
        expiresAt,
      })),
    async conversations([after], limit) {
      const heads = await conversations.find(behind(after), null, pageOf(limit))
      const [all, last] = await Promise.all([membersOf(heads.map(({ _id }) => _id)), lastOf(heads)])
      return heads.map(({ _id, kind }) => ({
        id: _id,
        kind,
        members: (all.get(_id) ?? []).map(({ username, deliveredSeq, readSeq, version }) => ({
          username,
          deliveredSeq,
          readSeq,
          version,
        })),
        last: last.get(_id) as ArchiveRows['conversations']['last'],
      }))
    },
    async messages([id, seq], limit) {
      const order = { conversationId: 1, seq: 1 } as const
      const rest = (limit: number) => ({ lean: true, sort: order, limit }) as const
      const found = await messages.find({ conversationId: id, seq: trusted({ $gt: seq }) }, null, rest(limit))
      if (found.length < limit) {
        const later = { conversationId: trusted({ $gt: id }) }
        found.push(...(await messages.find(later, null, rest(limit - found.length))))
      }
      return found.map(({ conversationId, seq, version, sender, text, sentAt, clientMessageId }) => ({
        conversationId,
        seq,
        version,
        sender,
        text,
        sentAt,
        clientMessageId: clientMessageId ?? null,
      }))
    },
  }
}

const archiveOf = (models: Models): Pick<Archive, 'read' | 'count'> => {
  const read = readsOf(models)
  return {
    read: (section, after, limit) => read[section](after, limit),
    count: (section) => models[section].estimatedDocumentCount().exec(),
  }
}

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
        ({ username, displayName, passwordHash, createdAt, lastSeenAt }): UserDocument => ({
          _id: username,
          displayName,
          passwordHash,
          createdAt,
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
  async conversations(rows) {
    const membersOfAll: MemberDocument[] = []
    const heads: ConversationDocument[] = []
    for (const { id, kind, members, last } of rows) {
      const audience = audienceOf(
        id,
        kind,
        members.map(({ username }) => username),
      )
      for (const member of members)
        membersOfAll.push({ _id: memberId(id, member.username), conversationId: id, kind, audience, ...member })
      heads.push({ _id: id, kind, audience, lastSeq: last.seq, lastVersion: last.version, lastSentAt: last.sentAt })
    }
    await insertMissing(models.members, membersOfAll)
    await insertMissing(models.conversations, heads)
  },
  async messages(rows) {
    const audiences = await audiencesOf(models, rows)
    await insertMissing(
      models.messages,
      rows.map(
        ({ clientMessageId, ...message }): MessageDocument => ({
          _id: messageId(message.conversationId, message.seq),
          audience: audiences.get(message.conversationId) as string[],
          ...message,
          ...(clientMessageId !== null && { clientMessageId }),
        }),
      ),
    )
  },
})

const audiencesOf = async (models: Models, rows: ArchiveRows['messages'][]): Promise<Map<string, string[]>> => {
  const ids = [...new Set(rows.map(({ conversationId }) => conversationId))]
  const heads = await models.conversations.find(
    { _id: models.conversations.base.trusted({ $in: ids }) },
    { audience: 1 },
    { lean: true },
  )
  return new Map(heads.map(({ _id, audience }) => [_id, audience]))
}
