import { limits, messageId, type TextVersion } from '../../contract/index.ts'
import { inTime } from './errors.ts'
import { waitMaxMs } from './limits.ts'
import { find, findOne } from './reads.ts'
import { type MessageDocument, type Models, native, type TextDocument } from './schema.ts'

const idOf = ({ conversationId, seq }: MessageDocument): string => messageId(conversationId, seq)
export const textId = (message: string, revision: number): string => `${message} ${revision}`

/** The former texts of this message, where its shard is told by its conversation. */
const textsOf = (message: MessageDocument) => ({
  conversationId: message.conversationId,
  messageId: idOf(message),
})

/** The text that this message has, as one that it had: the same for whoever keeps it, however often. */
export const keepText = async ({ messageTexts }: Models, message: MessageDocument): Promise<void> => {
  const { revision = 1, text, sentAt, editedAt } = message
  const filter = { _id: textId(idOf(message), revision), ...textsOf(message) }
  const kept = { revision, text, since: editedAt ?? sentAt }
  await inTime(native(messageTexts).updateOne(filter, { $setOnInsert: kept }, { upsert: true, maxTimeMS: waitMaxMs }))
}

/** The first text stays for good: repeats of the message are compared with it. */
export const removeOldTexts = async ({ messageTexts }: Models, message: MessageDocument): Promise<void> => {
  const former = (message.revision ?? 1) - 1
  if (former <= limits.formerTextsMax) return
  const revision = { $gt: 1, $lte: former - (limits.formerTextsMax - 1) }
  await inTime(native(messageTexts).deleteMany({ ...textsOf(message), revision }, { maxTimeMS: waitMaxMs }))
}

export const removeTexts = async ({ messageTexts }: Models, message: MessageDocument): Promise<void> => {
  await inTime(native(messageTexts).deleteMany(textsOf(message), { maxTimeMS: waitMaxMs }))
}

/** The text that this message has or had at a revision; null where nobody knows. */
export const textAt = async (
  { messageTexts }: Models,
  message: MessageDocument,
  revision: number,
): Promise<string | null> => {
  if (revision === (message.revision ?? 1)) return message.text
  return (await findOne(messageTexts, { ...textsOf(message), revision }))?.text ?? null
}

/** What each of these messages said as it was sent, as far as that is known. */
export const firstTexts = async (
  { messageTexts }: Models,
  messages: MessageDocument[],
): Promise<Map<MessageDocument, string>> => {
  const edited = messages.filter(({ revision = 1 }) => revision > 1)
  const first = { conversationId: { $in: edited.map(({ conversationId }) => conversationId) }, revision: 1 }
  const found = edited.length === 0 ? [] : await find(messageTexts, { ...first, messageId: { $in: edited.map(idOf) } })
  const texts = new Map(found.map(({ messageId, text }) => [messageId, text]))
  return new Map(
    messages.map((message) => [message, message.revision ? (texts.get(idOf(message)) ?? '') : message.text]),
  )
}

export const textVersions = async ({ messageTexts }: Models, message: MessageDocument): Promise<TextVersion[]> => {
  const { revision: present = 1, text, sentAt, editedAt } = message
  const former: TextDocument[] = await find(
    messageTexts,
    { ...textsOf(message), revision: { $lt: present } },
    { sort: { revision: 1 } },
  )
  return [
    ...former.map(({ revision, text, since }) => ({ revision, text, since })),
    { revision: present, text, since: editedAt ?? sentAt },
  ]
}
