import { randomUUID } from 'node:crypto'
import type { Model } from 'mongoose'
import type { Log } from '../../domain/ports.ts'
import { isGroup } from './documents.ts'
import { wordsOf } from './errors.ts'
import { patiently } from './patiently.ts'
import { find } from './reads.ts'
import { type ConversationDocument, type MessageDocument, type Models, native } from './schema.ts'

/** Raise it with every change that an older Parley could not live with, and bring older databases up to it here. */
export const schemaVersion = 2

/** A busy database carries out so many updates within the driver's time-out. */
const pageSize = 200
/** Each is read by itself, in its own order, which every index serves. */
const conversationsAtOnce = 4
/** Who died in the middle is followed by another after this. */
const leaseMs = 60_000
const renewMs = 10_000
const waitMs = 500
/** Nobody waits for these reads but the start; the driver gives up a little later. */
const readMs = 9_000

/**
 * Brings an older database up to `schemaVersion`. One node does it; others that start meanwhile wait. Every step can be
 * cut short and taken up again. From its beginning on no older Parley starts on the database.
 * @param createMissing makes the new collections and indices, once the documents are as those ask for
 * @throws Error in plain words where an older Parley is at work
 */
export const upgrade = async (
  database: string,
  models: Models,
  log: Log,
  createMissing: () => Promise<void>,
): Promise<void> => {
  const turn = await waitForTurn(database, models, log)
  if (!turn) return createMissing()
  try {
    log.info({ from: 1, to: schemaVersion }, 'bringing the database up to a new schema; this may take minutes')
    await renameUsers(models)
    await giveProfilesVersions(models)
    const messages = await giveOrdinals(models, turn)
    await createMissing()
    await turn.finish()
    log.info({ messages }, `the database has schema ${schemaVersion}`)
  } catch (error) {
    await turn.giveUp().catch(() => {})
    throw error
  } finally {
    turn.stop()
  }
}

/** Being the one that does it. */
interface Turn {
  /** All conversations up to this one, in the order of their ids, are done. */
  doneUpTo: string
  note(conversationId: string): Promise<void>
  finish(): Promise<void>
  giveUp(): Promise<void>
  stop(): void
}

/** @returns null: another one did it. */
const waitForTurn = async (database: string, models: Models, log: Log): Promise<Turn | null> => {
  const owner = randomUUID()
  for (let hasWaited = false; ; hasWaited = true) {
    const known = await patiently(() => models.meta.findById('schema', null, { lean: true }))
    if (known?.version === schemaVersion && !known.upgrade) return null
    await patiently(() => refuseWhileAtWork(database, models))
    if (await patiently(() => claim(models, owner))) {
      const isFresh = !known?.upgrade
      // One that started in between goes by the schema that it has seen.
      await refuseWhileAtWork(database, models).catch(async (error: unknown) => {
        await (isFresh ? unclaim(models, owner) : turnOf(models, owner, '', log).giveUp())
        throw error
      })
      return turnOf(models, owner, known?.upgrade?.conversation ?? '', log)
    }
    if (!hasWaited) log.info({}, 'another node brings the database up to a new schema; waiting for it')
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}

const refuseWhileAtWork = async (database: string, { nodeNumbers }: Models): Promise<void> => {
  const atWork = await native(nodeNumbers).countDocuments({ until: { $gte: new Date() } })
  if (atWork === 0) return
  throw new Error(
    `The database ${database} has to be brought up to schema ${schemaVersion}, and ${atWork} older Parley ` +
      `${atWork === 1 ? 'node works' : 'nodes work'} on it; stop ${atWork === 1 ? 'it' : 'them'} first, then start again. ` +
      'One that was killed counts for a minute more.',
  )
}

const leased = () => new Date(Date.now() + leaseMs)

const claim = async ({ meta }: Models, owner: string): Promise<boolean> => {
  const isFree = { $or: [{ version: 1, upgrade: { $exists: false } }, { 'upgrade.until': { $lt: new Date() } }] }
  // An older Parley refuses a database with a newer schema: that is said first, and `upgrade` taken away last.
  const taken = { version: schemaVersion, 'upgrade.from': 1, 'upgrade.owner': owner, 'upgrade.until': leased() }
  const { matchedCount } = await native(meta).updateOne({ _id: 'schema', ...isFree }, { $set: taken })
  return matchedCount > 0
}

/** Nothing was done yet, so that the older Parley may go on. */
const unclaim = async ({ meta }: Models, owner: string): Promise<void> => {
  const own = { _id: 'schema' as const, 'upgrade.owner': owner }
  await native(meta).updateOne(own, { $set: { version: 1 }, $unset: { upgrade: true } })
}

const turnOf = ({ meta }: Models, owner: string, doneUpTo: string, log: Log): Turn => {
  const own = { _id: 'schema' as const, 'upgrade.owner': owner }
  const set = async (fields: object): Promise<void> => {
    const { matchedCount } = await patiently(() => native(meta).updateOne(own, { $set: fields }))
    if (matchedCount === 0) throw new Error('Another node has taken over what this one was too slow for; start again.')
  }
  const timer = setInterval(() => {
    set({ 'upgrade.until': leased() }).catch((error: unknown) =>
      log.warn({ reason: wordsOf(error) }, 'cannot say that the new schema is still being worked on; trying again'),
    )
  }, renewMs)
  timer.unref()
  return {
    doneUpTo,
    note: (conversation) => set({ 'upgrade.conversation': conversation, 'upgrade.until': leased() }),
    async finish() {
      await patiently(() => native(meta).updateOne(own, { $unset: { upgrade: true } }))
    },
    giveUp: () => set({ 'upgrade.until': new Date(0) }),
    stop: () => clearInterval(timer),
  }
}

/** What was `username` is `userId`; memberships are intervals, so far of everything. */
const renameUsers = async ({ sessions, members }: Models): Promise<void> => {
  for (const model of [sessions, members]) {
    const indices = (await model.listIndexes()) as { name: string; key: object }[]
    for (const { name, key } of indices) if ('username' in key) await native(model as Models['members']).dropIndex(name)
  }
  const rename = { $rename: { username: 'userId' } }
  await eachPage(sessions, async (page) => {
    const _id = { $in: page.map(({ _id }) => _id) }
    const wanted = { _id, username: { $exists: true } }
    await patiently(() => native(sessions).updateMany(wanted as object, rename))
  })
  await eachPage(members, async (page) => {
    const wanted = { _id: { $in: page.map(({ _id }) => _id) }, fromSeq: { $exists: false } }
    await patiently(() => native(members).updateMany(wanted, { ...rename, $set: { fromSeq: 1 } }))
  })
}

/** 1, 2, 3 ... in the order of their ids: older than anything that a reader has seen, and the same whenever it is done. */
const giveProfilesVersions = async ({ users }: Models): Promise<void> => {
  let version = 0
  await eachPage(users, async (page) => {
    const updates = page.map(({ _id }, i) => ({
      updateOne: { filter: { _id, version: { $exists: false } }, update: { $set: { version: version + i + 1 } } },
    }))
    await patiently(() => native(users).bulkWrite(updates, { ordered: false }))
    version += page.length
  })
}

const eachPage = async <Document extends { _id: string }>(
  model: Model<Document>,
  work: (page: Document[]) => Promise<void>,
  { after = '', limit = pageSize } = {},
): Promise<void> => {
  for (let id = after; ; ) {
    const page = await patiently(() => find(model, { _id: { $gt: id } } as object, { sort: { _id: 1 }, limit }))
    const last = page.at(-1)
    if (!last) return
    await work(page)
    id = last._id
  }
}

/**
 * Counts the messages of each sender along each conversation. Their `_id` is their id, as Parley 0.1 wrote it, so that
 * they are marked for the index by version. @returns how many there were
 */
const giveOrdinals = async (models: Models, turn: Turn): Promise<number> => {
  let done = 0
  // Parley 0.1 wrote a conversation before its first message.
  const work = async (page: ConversationDocument[]) => {
    const counts = await Promise.all(page.map((conversation) => giveOrdinalsIn(models, conversation)))
    done += counts.reduce((sum, count) => sum + count, 0)
    const last = page.at(-1)
    if (last) await turn.note(last._id)
  }
  await eachPage(models.conversations, work, { after: turn.doneUpTo, limit: conversationsAtOnce })
  return done
}

/** @returns how many messages it has */
const giveOrdinalsIn = async (models: Models, { _id: conversationId, lastSeq }: ConversationDocument) => {
  const options = { sort: { conversationId: 1, seq: 1 }, projection: { seq: 1, sender: 1 } } as const
  const counts = new Map<string, number>()
  let done = 0
  // Numbers have no holes, and a message is stored before its conversation says so.
  for (let seq = 0, isOver = false; !isOver; seq += pageSize) {
    const numbers = { conversationId, seq: { $gt: seq, $lte: seq + pageSize } }
    const page = await patiently(() => find(models.messages, numbers, options, readMs))
    for (const message of page) {
      message.senderOrdinal = (counts.get(message.sender) ?? 0) + 1
      counts.set(message.sender, message.senderOrdinal)
    }
    const last = page.at(-1)
    if (last) await patiently(() => writeOrdinals(models, conversationId, page))
    if (last?.seq === lastSeq) await patiently(() => noteLast(models, conversationId, last))
    isOver = !last && seq >= lastSeq
    done += page.length
  }
  return done
}

const writeOrdinals = async ({ messages }: Models, conversationId: string, page: MessageDocument[]): Promise<void> => {
  const marks = { versionApart: true as const, ...(isGroup(conversationId) && { inGroup: true as const }) }
  const updates = page.map(({ _id, senderOrdinal }) => ({
    updateOne: { filter: { _id, conversationId }, update: { $set: { senderOrdinal, ...marks } } },
  }))
  await native(messages).bulkWrite(updates, { ordered: false })
}

const noteLast = async (
  { conversations }: Models,
  conversationId: string,
  { sender, senderOrdinal }: MessageDocument,
): Promise<void> => {
  const last = { lastSender: sender, lastSenderOrdinal: senderOrdinal }
  await native(conversations).updateOne({ _id: conversationId }, { $set: last })
}
