import { ChatError, type ConversationId, messageId } from '../../contract/index.ts'
import type { Draft, Log, StoredMessage } from '../../domain/ports.ts'
import { audienceOf, toMessage } from './documents.ts'
import { failureOf, type Inserted, insertedOf, inTime, unavailable, wordsOf } from './errors.ts'
import type { Appending, Heads, Top } from './heads.ts'
import { lateMs } from './limits.ts'
import { type MessageDocument, type Models, native } from './schema.ts'
import type { Versions } from './versions.ts'
import { again, type Outcome, refused, unknown } from './writes.ts'

/** A place in its conversation where a message may be, or turn up: nobody knows. */
interface Place {
  id: string
  version: number
  givenAt: number
}

export interface Append extends Appending {
  type: 'append'
  places: Place[]
}

export const appendOf = (draft: Draft): Append => ({ type: 'append', draft, places: [], collided: false })

interface Tried {
  append: Append
  document: MessageDocument
  givenAt: number
}

/** Ordered inserts, one for each conversation with several new messages, that run side by side. */
const sideBySideMax = 16
const lookUpMax = 200

type AppendOutcome = Outcome<{ message: StoredMessage; repeated: boolean }>

/**
 * Adds messages: each is inserted behind the last one of its conversation, and the unique index on the place says whether
 * another writer was quicker. So a `seq` is taken and its message there in one step, and no hole can come about.
 */
export const createAppends = ({
  models,
  heads,
  versions,
  log,
}: {
  models: Models
  heads: Heads
  versions: Versions
  log: Log
}) => {
  const { messages } = models
  const { trusted } = messages.base

  /** Who was not answered looks where her message may be; what is there too late gets a new version. */
  const lookAtPlaces = async (appends: Append[], outcomes: Map<Append, AppendOutcome>): Promise<void> => {
    const uncertain = appends.filter(({ places }) => places.length > 0)
    if (uncertain.length === 0) return
    const at = await messagesAt(uncertain)
    for (const append of uncertain) {
      // Where another message is, this one cannot turn up any more.
      append.places = append.places.filter(({ id, version }) => !at.has(id) || at.get(id)?.version === version)
      const place = append.places.find(({ id }) => at.has(id))
      const document = place && at.get(place.id)
      if (document) outcomes.set(append, await tellAnew(append, document, place.givenAt))
    }
  }

  const messagesAt = async (appends: Append[]): Promise<Map<string, MessageDocument>> => {
    const conversationId = trusted({ $in: appends.map(({ draft }) => draft.conversationId) })
    const _id = trusted({ $in: appends.flatMap(({ places }) => places.map(({ id }) => id)) })
    const found = await inTime(messages.find({ conversationId, _id }, null, { lean: true }).exec())
    return new Map(found.map((document) => [document._id, document]))
  }

  const tellAnew = async (append: Append, document: MessageDocument, givenAt: number): Promise<AppendOutcome> => {
    if (performance.now() - givenAt <= lateMs) return done(document)
    // Before a newer message it is found as a hole.
    if (await messageBehind(document)) return done(document)
    const version = versions.next()
    append.places.push({ id: document._id, version, givenAt: performance.now() })
    await giveVersion(document, version)
    return unknown
  }

  const messageBehind = ({ conversationId, seq }: MessageDocument): Promise<MessageDocument | null> =>
    inTime(
      messages
        .findOne({ conversationId, seq: seq + 1 }, null, { lean: true })
        .readConcern('local')
        .exec(),
    )

  /** Versions rise along a conversation: what has come behind it meanwhile gets a new one too. */
  const giveVersion = async (document: MessageDocument, version: number): Promise<void> => {
    const { _id, conversationId, version: old } = document
    await inTime(native(messages).updateOne({ _id, conversationId, version: old }, { $set: { version } }))
    const behind = await messageBehind(document)
    if (behind && behind.version < version) await giveVersion(behind, versions.next())
  }

  const plan = (appends: Append[], tops: Map<ConversationId, Top>): { lines: Tried[][]; followers: Append[] } => {
    for (const { version } of tops.values()) versions.saw(version)
    const lines = new Map<ConversationId, Tried[]>()
    const followers: Append[] = []
    const ids = new Set<string>()
    const givenAt = performance.now()
    for (const append of appends) {
      const { conversationId, kind, members, sender, text, clientMessageId, sentAt } = append.draft
      const id = clientMessageId && `${conversationId} ${sender} ${clientMessageId}`
      if (id && ids.has(id)) {
        followers.push(append)
        continue
      }
      if (id) ids.add(id)
      const line = lines.get(conversationId) ?? []
      lines.set(conversationId, line)
      const before = line.at(-1)?.document ?? tops.get(conversationId) ?? { seq: 0, sentAt: new Date(0) }
      const document: MessageDocument = {
        _id: messageId(conversationId, before.seq + 1),
        conversationId,
        seq: before.seq + 1,
        version: versions.next(),
        audience: audienceOf(conversationId, kind, members),
        sender,
        text,
        sentAt: sentAt < before.sentAt ? before.sentAt : sentAt,
        ...(clientMessageId !== null && { clientMessageId }),
      }
      line.push({ append, document, givenAt })
    }
    return { lines: [...lines.values()], followers }
  }

  /** What follows one that fails is not inserted, if `ordered`: no message may come behind a hole. */
  const insert = async (tried: Tried[], ordered: boolean): Promise<Inserted[] | null> => {
    const documents = tried.map(({ document }) => document)
    const failure = await failureOf(native(messages).insertMany(documents, { ordered, maxTimeMS: lateMs }))
    const inserted = insertedOf(documents.length, ordered, failure)
    if (!inserted)
      log.warn(
        { reason: wordsOf(failure), messages: documents.length },
        'it is not known whether messages were stored; looking',
      )
    return inserted
  }

  const insertAll = async (
    lines: Tried[][],
    each: (tried: Tried, inserted: Inserted | null) => void,
  ): Promise<void> => {
    const single = lines.filter(({ length }) => length === 1).flat()
    const inserts = lines.filter(({ length }) => length > 1).map((line) => () => carryOut(line, true))
    const carryOut = async (tried: Tried[], ordered: boolean) => {
      const inserted = await insert(tried, ordered)
      for (const [i, one] of tried.entries()) each(one, inserted?.[i] ?? null)
    }
    if (single.length > 0) inserts.unshift(() => carryOut(single, false))
    const work = async () => {
      for (let next = inserts.shift(); next; next = inserts.shift()) await next()
    }
    await Promise.all(Array.from({ length: sideBySideMax }, work))
  }

  /** The messages that have these drafts' ids already. */
  const firstOf = async (appends: Append[]): Promise<Map<string, MessageDocument>> => {
    const found = new Map<string, MessageDocument>()
    for (let at = 0; at < appends.length; at += lookUpMax) {
      const ids = appends.slice(at, at + lookUpMax).map(({ draft: { conversationId, sender, clientMessageId } }) => ({
        conversationId,
        sender,
        clientMessageId: clientMessageId as string,
      }))
      for (const document of await inTime(messages.find({ $or: ids }, null, { lean: true }).exec())) {
        found.set(clientKey(document), document)
      }
    }
    return found
  }

  const answerRepeats = async (appends: Append[], outcomes: Map<Append, AppendOutcome>): Promise<void> => {
    const named = appends.filter(({ draft }) => draft.clientMessageId !== null)
    const found = named.length > 0 ? await firstOf(named) : new Map<string, MessageDocument>()
    for (const append of appends) {
      const first = found.get(clientKey(append.draft))
      const own = append.places.find(({ id, version }) => id === first?._id && version === first.version)
      if (!first) outcomes.set(append, again)
      else if (first.text !== append.draft.text) outcomes.set(append, refused(new ChatError('conflict')))
      // It turned up after it was looked for.
      else if (own) outcomes.set(append, await tellAnew(append, first, own.givenAt))
      else outcomes.set(append, done(first, true))
    }
  }

  /** Who is answered finds her message in the list of conversations. */
  const moveHeads = async (outcomes: Map<Append, AppendOutcome>): Promise<void> => {
    const stored = [...outcomes].flatMap(([append, outcome]) =>
      outcome.type === 'done' ? [{ append, ...outcome.result }] : [],
    )
    try {
      await heads.moveTo(stored.map(({ message }) => message))
    } catch (error) {
      log.warn(
        { reason: wordsOf(error), messages: stored.length },
        'messages were stored, their conversations were not; trying again',
      )
      for (const { append, message, repeated } of stored) {
        if (!repeated) append.places.push({ id: message.id, version: message.version, givenAt: performance.now() })
        outcomes.set(append, repeated ? again : unknown)
      }
    }
  }

  return async (appends: Append[]): Promise<AppendOutcome[]> => {
    const outcomes = new Map<Append, AppendOutcome>()
    await lookAtPlaces(appends, outcomes)
    const open = appends.filter((append) => !outcomes.has(append))
    const { lines, followers } = plan(open, await heads.tops(open))
    const repeats = [...followers]
    await insertAll(lines, ({ append, document, givenAt }, inserted) => {
      if (inserted?.stored && performance.now() - givenAt <= lateMs) outcomes.set(append, done(document))
      else if (!inserted || inserted.stored) {
        append.places.push({ id: document._id, version: document.version, givenAt })
        outcomes.set(append, unknown)
      } else if (inserted.duplicate) {
        append.collided = true
        repeats.push(append)
      } else if (inserted.skipped) outcomes.set(append, again)
      else outcomes.set(append, refused(unavailable(String(inserted.refused))))
    })
    if (repeats.length > 0) await answerRepeats(repeats, outcomes)
    await moveHeads(outcomes)
    return appends.map((append) => outcomes.get(append) ?? again)
  }
}

const done = (document: MessageDocument, repeated = false): AppendOutcome => ({
  type: 'done',
  version: document.version,
  result: { message: toMessage(document), repeated },
})

const clientKey = (message: { conversationId: string; sender: string; clientMessageId?: string | null }): string =>
  `${message.conversationId} ${message.sender} ${message.clientMessageId}`
