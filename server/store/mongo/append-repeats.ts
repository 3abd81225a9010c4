import { ChatError, type ConversationId } from '../../contract/index.ts'
import { versionsPerMs } from '../../domain/version-time.ts'
import { type Append, type AppendOutcome, clientKey, stored } from './append-outcomes.ts'
import type { LateAppends } from './late-appends.ts'
import { lateMs } from './limits.ts'
import { find } from './reads.ts'
import type { MessageDocument, Models } from './schema.ts'
import type { Tail } from './tails.ts'
import { firstTexts } from './texts.ts'
import type { Versions } from './versions.ts'
import { again, refused } from './writes.ts'

const lookUpMax = 200

/** Answers appends whose place, or whose id, was taken. Those whose id is not there are to be tried again. */
export const createAppendRepeats = ({
  models,
  versions,
  late,
}: {
  models: Models
  versions: Versions
  late: LateAppends
}) => {
  /** The messages that have these drafts' ids already. */
  const firstOf = async (appends: Append[]): Promise<Map<string, MessageDocument>> => {
    const found = new Map<string, MessageDocument>()
    for (let at = 0; at < appends.length; at += lookUpMax) {
      const ids = appends.slice(at, at + lookUpMax).map(({ draft: { conversationId, sender, clientMessageId } }) => ({
        conversationId,
        sender,
        clientMessageId: clientMessageId as string,
      }))
      for (const document of await find(models.messages, { $or: ids })) found.set(clientKey(document), document)
    }
    return found
  }

  /**
   * Its conversation does not tell of it, so that no sender was told that it is stored: its node ended before that. Readers
   * may be past its version, and nobody else would send it to them.
   */
  const isForgotten = ({ seq, version }: MessageDocument, tail: Tail | undefined): boolean =>
    seq > (tail?.headSeq ?? 0) && versions.next() - version > lateMs * versionsPerMs

  return async (appends: Append[], tails: Map<ConversationId, Tail>): Promise<Map<Append, AppendOutcome>> => {
    const named = appends.filter(({ draft }) => draft.clientMessageId !== null)
    const found = named.length > 0 ? await firstOf(named) : new Map<string, MessageDocument>()
    const texts = await firstTexts(models, [...found.values()])
    const answer = async (append: Append): Promise<AppendOutcome> => {
      const first = found.get(clientKey(append.draft))
      if (!first) return again
      // Of a deleted one nobody knows what it said.
      if (!first.deletedAt && texts.get(first) !== append.draft.text) return refused(new ChatError('conflict'))
      // It turned up after it was looked for.
      const own = append.places.find(({ seq, version }) => seq === first.seq && version === first.version)
      if (own) return late.settle(append, first, own.givenAt)
      return isForgotten(first, tails.get(first.conversationId)) ? late.sendAnew(append, first) : stored(first, true)
    }
    const outcomes = new Map<Append, AppendOutcome>()
    for (const append of appends) outcomes.set(append, await answer(append))
    return outcomes
  }
}
