import { ChatError } from '../../contract/index.ts'
import type { Log, MessageStore, StoredMessage } from '../../domain/ports.ts'
import { versionAt, versionsPerMs } from '../../domain/version-time.ts'
import { toMessage } from './documents.ts'
import { inTime, wordsOf } from './errors.ts'
import { clockDifferenceMaxMs, lateMs } from './limits.ts'
import { findOne } from './reads.ts'
import { type MessageDocument, type Models, native } from './schema.ts'
import { sideBySide } from './side-by-side.ts'
import { keepText, removeOldTexts, removeTexts, textAt } from './texts.ts'
import type { Versions } from './versions.ts'
import { again, type Outcome, refused, unknown } from './writes.ts'

/** An edit or a deletion. */
export type MessageChange = (
  | { type: 'edit'; asked: Parameters<MessageStore['edit']>[0] }
  | { type: 'delete'; asked: Parameters<MessageStore['delete']>[0] }
) & {
  /** Versions that the message may have got by it, and when (`performance.now()`): nobody knows. */
  given: Map<number, number>
}

export const editOf = (asked: Parameters<MessageStore['edit']>[0]): MessageChange => ({
  type: 'edit',
  asked,
  given: new Map(),
})
export const deletionOf = (asked: Parameters<MessageStore['delete']>[0]): MessageChange => ({
  type: 'delete',
  asked,
  given: new Map(),
})

type ChangeOutcome = Outcome<{ message: StoredMessage; repeated: boolean }>

/**
 * Changes messages in place. Each change is written over the state that was read, so that of two that race one finds
 * another state, and so does one that turns up late. The version that a change got is given anew where readers may have
 * been past it when the change could be read.
 */
export const createMessageChanges = ({ models, versions, log }: { models: Models; versions: Versions; log: Log }) => {
  const { messages } = models

  /** @param wanted what the message has to be still. @returns what is known of it */
  const write = async (
    { given, asked: { conversationId, seq } }: MessageChange,
    wanted: object,
    fields: Partial<MessageDocument>,
  ): Promise<MessageDocument | typeof again | typeof unknown> => {
    const changedVersion = versions.next()
    const givenAt = performance.now()
    given.set(changedVersion, givenAt)
    const update = { $set: { ...fields, changedVersion }, $currentDate: { changedAt: true as const } }
    const options = { returnDocument: 'after', maxTimeMS: lateMs } as const
    try {
      const filter = { conversationId, seq, ...wanted }
      const changed = await inTime(native(messages).findOneAndUpdate(filter, update, options))
      if (changed) return performance.now() - givenAt <= lateMs ? changed : unknown
      given.delete(changedVersion)
      return again
    } catch (error) {
      log.warn(
        { reason: wordsOf(error), conversationId, seq },
        'it is not known whether a message was changed; looking',
      )
      return unknown
    }
  }

  /** Its last change became readable so late that readers may be past its version. */
  const isLate = ({ changedVersion = 0, changedAt }: MessageDocument, { given }: MessageChange): boolean => {
    if (performance.now() - (given.get(changedVersion) ?? Number.POSITIVE_INFINITY) > lateMs) return true
    if (!changedAt) return false
    const mayTakeMs = lateMs + clockDifferenceMaxMs
    return versionAt(changedAt.getTime()) - changedVersion > mayTakeMs * versionsPerMs
  }

  /** What is there answers this change: it was made by it, or by an earlier one that was the same. */
  const answer = async (change: MessageChange, document: MessageDocument): Promise<ChangeOutcome> => {
    const { changedVersion, revision } = document
    if (isLate(document, change)) {
      await write(change, { changedVersion }, {})
      return unknown
    }
    if (change.type === 'delete') await removeTexts(models, document)
    else await removeOldTexts(models, document)
    // An edit is its author's own while nothing has come after it.
    const isOwn =
      change.given.has(changedVersion ?? 0) && (change.type === 'delete' || revision === change.asked.revision + 1)
    const message = toMessage(document)
    return { type: 'done', version: message.version, result: { message, repeated: !isOwn } }
  }

  const settle = async (
    change: MessageChange,
    written: MessageDocument | typeof again | typeof unknown,
  ): Promise<ChangeOutcome> => ('type' in written ? written : answer(change, written))

  const edit = async (change: MessageChange & { type: 'edit' }, document: MessageDocument): Promise<ChangeOutcome> => {
    const { revision, text, editedAt } = change.asked
    const present = document.revision ?? 1
    if (document.deletedAt) {
      // This one, or one beside it, may have kept a text after the deletion.
      await removeTexts(models, document)
      return refused(new ChatError('messageDeleted'))
    }
    if (present > revision && (await textAt(models, document, revision + 1)) === text) return answer(change, document)
    if (present !== revision) return refused(new ChatError('conflict', { message: editedMeanwhile }))
    await keepText(models, document)
    const earliest = document.editedAt ?? document.sentAt
    return settle(
      change,
      await write(
        change,
        { revision: document.revision ?? { $exists: false }, deletedAt: { $exists: false } },
        { text, revision: revision + 1, editedAt: editedAt < earliest ? earliest : editedAt },
      ),
    )
  }

  const remove = async (
    change: MessageChange & { type: 'delete' },
    document: MessageDocument,
  ): Promise<ChangeOutcome> => {
    if (document.deletedAt) return answer(change, document)
    const { deletedAt } = change.asked
    return settle(change, await write(change, { deletedAt: { $exists: false } }, { text: '', deletedAt }))
  }

  const carryOut = async (change: MessageChange): Promise<ChangeOutcome> => {
    const { conversationId, seq } = change.asked
    const document = await findOne(messages, { conversationId, seq })
    if (!document) return refused(new ChatError('unknownMessage'))
    versions.saw(Math.max(document.version, document.changedVersion ?? 0))
    return change.type === 'edit' ? edit(change, document) : remove(change, document)
  }

  return (changes: MessageChange[]): Promise<ChangeOutcome[]> =>
    sideBySide(changes, sideBySideMax, (change) =>
      carryOut(change).catch((error: unknown) => {
        log.warn({ reason: wordsOf(error) }, 'a message could not be changed; trying again')
        return change.given.size > 0 ? unknown : again
      }),
    )
}

const editedMeanwhile = 'This message was edited meanwhile; look at it again and edit that.'
/** Changes of different messages run side by side, so many at once. */
const sideBySideMax = 16
