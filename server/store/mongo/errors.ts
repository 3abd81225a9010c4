import { mongo } from 'mongoose'
import { ChatError } from '../../contract/index.ts'
import { waitMaxMs } from './limits.ts'

const duplicateKey = 11_000
/** Of a document, by which it is surely not there: bad value, type, rights, validation, size. A router (mongos) also
 * gives codes of a whole shard to its documents, and those say nothing of what was written. */
const refusals = new Set<unknown>([2, 9, 13, 14, 121, 10_334, 17_280])

export const isDuplicate = (error: unknown): boolean =>
  error instanceof mongo.MongoServerError && error.code === duplicateKey

export const unavailable = (cause: unknown): ChatError => new ChatError('unavailable', { cause })

/** In one line: what the driver adds, the state of all servers among it, fills a log. */
export const wordsOf = (error: unknown): string => {
  if (error instanceof ChatError && error.cause !== undefined) return wordsOf(error.cause)
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

/**
 * What the database gives within `waitMaxMs`. The driver's own time-outs add up to more where it tries again: a server
 * is chosen anew, a socket opened, a call repeated.
 * @throws ChatError `unavailable`; what was asked may still be carried out
 */
export const inTime = async <T>(asked: Promise<T>, ms = waitMaxMs): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([asked, tooLate])
  } catch (error) {
    throw error instanceof ChatError ? error : unavailable(wordsOf(error))
  } finally {
    clearTimeout(timer)
  }
}

/** Why it failed; null: it did not. */
export const failureOf = (asked: Promise<unknown>): Promise<unknown> =>
  inTime(
    asked.then(
      () => null,
      (error: unknown) => error,
    ),
  ).catch((error: unknown) => error)

/** What became of the documents of an insert. */
export interface Inserted {
  /** In the database, and durable. */
  stored: boolean
  /** Not in the database: another has one of its keys. */
  duplicate: boolean
  /** Not in the database: the database does not take it. */
  refused: unknown
  /** Not asked for: an ordered insert ended before it. */
  skipped: boolean
}

/** In the order of the documents; null: nothing is known, they may turn up later. */
export const insertedOf = (asked: number, ordered: boolean, error: unknown): Inserted[] | null => {
  const all = (): Inserted[] =>
    Array.from({ length: asked }, () => ({ stored: true, duplicate: false, refused: null, skipped: false }))
  if (error === null) return all()
  if (!(error instanceof mongo.MongoBulkWriteError)) return null
  const failures = [error.writeErrors].flat()
  // Without a failure of a single document it was the whole that failed; and what is not known to be durable is not known.
  if (failures.length === 0 || error.result.getWriteConcernError()) return null
  const documents = all()
  for (const failure of failures) {
    const document = documents[failure.index]
    if (!document || (failure.code !== duplicateKey && !refusals.has(failure.code))) return null
    document.stored = false
    document.duplicate = failure.code === duplicateKey
    if (!document.duplicate) document.refused = failure
    if (ordered)
      for (const later of documents.slice(failure.index + 1)) Object.assign(later, { stored: false, skipped: true })
  }
  return documents
}
