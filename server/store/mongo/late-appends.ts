import { type Append, type AppendOutcome, stored } from './append-outcomes.ts'
import { inTime } from './errors.ts'
import { lateMs } from './limits.ts'
import { find } from './reads.ts'
import { type MessageDocument, type Models, native } from './schema.ts'
import type { Versions } from './versions.ts'
import { unknown } from './writes.ts'

export interface LateAppends {
  /** Looks where messages may be whose inserts were not answered. @returns what is known of them now */
  look(appends: Append[]): Promise<Map<Append, AppendOutcome>>
  /** A message that is there gets a new version if it may have been readable too late under the one it has. */
  settle(append: Append, document: MessageDocument, givenAt: number): Promise<AppendOutcome>
  /** Gives it a new version, and looks at it again before anybody is told. */
  sendAnew(append: Append, document: MessageDocument): Promise<AppendOutcome>
}

/** What became of appends that nobody was answered for, and messages that readers may have passed by. */
export const createLateAppends = ({
  models: { messages },
  versions,
}: {
  models: Models
  versions: Versions
}): LateAppends => {
  const messagesAt = async (appends: Append[]): Promise<Map<string, MessageDocument>> => {
    const at = appends.map(({ draft: { conversationId }, places }) => ({
      conversationId,
      seq: { $in: places.map(({ seq }) => seq) },
    }))
    const found = await find(messages, { $or: at })
    return new Map(found.map((document) => [placeOf(document.conversationId, document.seq), document]))
  }

  const messageBehind = ({ conversationId, seq }: MessageDocument): Promise<MessageDocument | null> =>
    inTime(native(messages).findOne({ conversationId, seq: seq + 1 }, { readConcern: { level: 'local' } }))

  /** Versions rise along a conversation: what has come behind it meanwhile gets a new one too. */
  const giveVersion = async (document: MessageDocument, version: number): Promise<void> => {
    const { conversationId, seq, version: old } = document
    const update = { $set: { version, versionApart: true as const } }
    await inTime(native(messages).updateOne({ conversationId, seq, version: old }, update))
    const behind = await messageBehind(document)
    if (behind && behind.version < version) await giveVersion(behind, versions.next())
  }

  const sendAnew = async (append: Append, document: MessageDocument): Promise<AppendOutcome> => {
    const version = versions.next()
    append.places.push({ seq: document.seq, version, givenAt: performance.now() })
    await giveVersion(document, version)
    return unknown
  }

  const settle = async (append: Append, document: MessageDocument, givenAt: number): Promise<AppendOutcome> => {
    const isInTime = performance.now() - givenAt <= lateMs
    // Before a newer message it is found as a hole.
    return isInTime || (await messageBehind(document)) ? stored(document) : sendAnew(append, document)
  }

  return {
    async look(appends) {
      const outcomes = new Map<Append, AppendOutcome>()
      const uncertain = appends.filter(({ places }) => places.length > 0)
      if (uncertain.length === 0) return outcomes
      const at = await messagesAt(uncertain)
      for (const append of uncertain) {
        const documentAt = ({ seq }: { seq: number }) => at.get(placeOf(append.draft.conversationId, seq))
        // Where another message is, this one cannot turn up any more.
        append.places = append.places.filter((place) => (documentAt(place)?.version ?? place.version) === place.version)
        const place = append.places.find((place) => documentAt(place))
        const document = place && documentAt(place)
        if (place && document) outcomes.set(append, await settle(append, document, place.givenAt))
      }
      return outcomes
    },
    settle,
    sendAnew,
  }
}

const placeOf = (conversationId: string, seq: number) => `${conversationId} ${seq}`
