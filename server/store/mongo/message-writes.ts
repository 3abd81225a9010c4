import type { ConversationId } from '../../contract/index.ts'
import type { Log } from '../../domain/ports.ts'
import { type Append, type AppendOutcome, clientKey, stored } from './append-outcomes.ts'
import { createAppendRepeats } from './append-repeats.ts'
import { toDocument } from './documents.ts'
import { failureOf, type Inserted, insertedOf, unavailable, wordsOf } from './errors.ts'
import { createLateAppends } from './late-appends.ts'
import { lateMs } from './limits.ts'
import { type MessageDocument, type Models, native } from './schema.ts'
import { sideBySide } from './side-by-side.ts'
import { createTails, type Tail } from './tails.ts'
import type { Versions } from './versions.ts'
import { again, refused, unknown } from './writes.ts'

/** An append at the place that it shall have. */
interface Planned {
  append: Append
  document: MessageDocument
  /** By `performance.now()`. */
  givenAt: number
}

/** Ordered inserts, one for each conversation with several new messages, that run side by side. */
const sideBySideMax = 16

/**
 * Adds messages: each is inserted behind the last one of its conversation, and the unique index on the place says whether
 * another writer was quicker. So a `seq` is taken and its message there in one step, and no hole can come about.
 */
export const createMessageWrites = ({ models, versions, log }: { models: Models; versions: Versions; log: Log }) => {
  const tailsOf = createTails(models)
  const late = createLateAppends({ models, versions })
  const answerRepeats = createAppendRepeats({ models, versions, late })
  const insert = createInserts(models, log)

  const outcomeOf = ({ append, document, givenAt }: Planned, inserted: Inserted | null): AppendOutcome => {
    if (inserted?.stored && performance.now() - givenAt <= lateMs) return stored(document)
    if (!inserted || inserted.stored) {
      append.places.push({ seq: document.seq, version: document.version, givenAt })
      return unknown
    }
    append.collided ||= inserted.duplicate
    return inserted.refused ? refused(unavailable(String(inserted.refused))) : again
  }

  /** What was inserted in this group stays so, whatever becomes of the questions after it. */
  const answer = async (
    repeats: Append[],
    tails: Map<ConversationId, Tail>,
    outcomes: Map<Append, AppendOutcome>,
  ): Promise<void> => {
    if (repeats.length === 0) return
    try {
      for (const [append, outcome] of await answerRepeats(repeats, tails)) outcomes.set(append, outcome)
    } catch (error) {
      log.warn({ reason: wordsOf(error), messages: repeats.length }, 'cannot look up repeated messages; trying again')
    }
  }

  /** Whoever is answered finds the message in the list of conversations. */
  const moveTails = async (outcomes: Map<Append, AppendOutcome>): Promise<void> => {
    const done = [...outcomes].flatMap(([append, { document, ...outcome }]) =>
      document && outcome.type === 'done' ? [{ append, document, repeated: outcome.result.repeated }] : [],
    )
    try {
      await tailsOf.moveTo(done.map(({ document }) => document))
    } catch (error) {
      log.warn(
        { reason: wordsOf(error), messages: done.length },
        'messages were stored, their conversations were not; trying again',
      )
      for (const { append, document, repeated } of done) {
        const { seq, version } = document
        if (!repeated) append.places.push({ seq, version, givenAt: performance.now() })
        outcomes.set(append, repeated ? again : unknown)
      }
    }
  }

  return async (appends: Append[]): Promise<AppendOutcome[]> => {
    const outcomes = await late.look(appends)
    const open = appends.filter((append) => !outcomes.has(append))
    const tails = await tailsOf.of(open)
    for (const { version } of tails.values()) versions.saw(version)
    const { lines, followers } = plan(open, tails, versions)
    await insert(lines, (planned, inserted) => outcomes.set(planned.append, outcomeOf(planned, inserted)))
    const collided = open.filter((append) => append.collided && outcomes.get(append) === again)
    await answer([...followers, ...collided], tails, outcomes)
    await moveTails(outcomes)
    return appends.map((append) => outcomes.get(append) ?? again)
  }
}

/** Those of one conversation in a line, each behind the one before it. A second one with the same id follows the first. */
const plan = (
  appends: Append[],
  tails: Map<ConversationId, Tail>,
  versions: Versions,
): { lines: Planned[][]; followers: Append[] } => {
  const lines = new Map<ConversationId, Planned[]>()
  const followers: Append[] = []
  const ids = new Set<string>()
  const givenAt = performance.now()
  for (const append of appends) {
    const { draft } = append
    const id = draft.clientMessageId && clientKey(draft)
    if (id && ids.has(id)) {
      followers.push(append)
      continue
    }
    if (id) ids.add(id)
    const line = lines.get(draft.conversationId) ?? []
    lines.set(draft.conversationId, line)
    line.push({
      append,
      document: nextDocument(append, line, tails.get(draft.conversationId), versions.next()),
      givenAt,
    })
  }
  return { lines: [...lines.values()], followers }
}

const nextDocument = (
  { draft: { conversationId, sender, text, clientMessageId, sentAt } }: Append,
  line: Planned[],
  tail: Tail | undefined,
  version: number,
): MessageDocument => {
  const before = line.at(-1)?.document ?? tail ?? { seq: 0, sentAt: new Date(0) }
  const own = line.findLast(({ document }) => document.sender === sender)?.document.senderOrdinal
  return toDocument({
    conversationId,
    seq: before.seq + 1,
    version,
    sentVersion: version,
    sender,
    senderOrdinal: (own ?? tail?.sentBy(sender) ?? 0) + 1,
    text,
    revision: 1,
    sentAt: sentAt < before.sentAt ? before.sentAt : sentAt,
    editedAt: null,
    deletedAt: null,
    clientMessageId,
  })
}

/** Lines of one message share an insert; what follows one that fails is not inserted: no message may come behind a hole. */
const createInserts = ({ messages }: Models, log: Log) => {
  const insert = async (planned: Planned[], ordered: boolean): Promise<Inserted[] | null> => {
    const documents = planned.map(({ document }) => document)
    const failure = await failureOf(native(messages).insertMany(documents, { ordered, maxTimeMS: lateMs }))
    const inserted = insertedOf(documents.length, ordered, failure)
    if (!inserted)
      log.warn(
        { reason: wordsOf(failure), messages: documents.length },
        'it is not known whether messages were stored; looking',
      )
    return inserted
  }

  return async (lines: Planned[][], each: (planned: Planned, inserted: Inserted | null) => void): Promise<void> => {
    const carryOut = async (planned: Planned[], ordered: boolean) => {
      if (planned.length === 0) return
      const inserted = await insert(planned, ordered)
      for (const [i, one] of planned.entries()) each(one, inserted?.[i] ?? null)
    }
    const single = lines.filter(({ length }) => length === 1).flat()
    const inserts = [{ planned: single, ordered: false }]
    for (const line of lines) if (line.length > 1) inserts.push({ planned: line, ordered: true })
    await sideBySide(inserts, sideBySideMax, ({ planned, ordered }) => carryOut(planned, ordered))
  }
}
