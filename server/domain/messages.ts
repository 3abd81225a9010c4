import {
  ChatError,
  type ConversationId,
  type DeleteMessage,
  type EditMessage,
  type History,
  type HistoryPage,
  limits,
  type Message,
  type MessageVersionList,
  type MessageVersions,
  messagePlace,
  type SendMessage,
  type Seq,
  type UserId,
} from '../contract/index.ts'
import { type Open, type OpenConversation, openToWrite } from './conversations.ts'
import type { ReadingPorts, StoreReads } from './fair-reads.ts'
import { mayRead, readableParts } from './intervals.ts'
import { asNew, asSeenBy } from './message-view.ts'
import { withinPage } from './page-text.ts'
import type { MessagePlace, Ports, StoredMessage } from './ports.ts'
import { takeStorage } from './storage-quota.ts'

export const sendMessage =
  ({ store, bus, rates, rules, clock }: Ports, open: Open) =>
  async (sender: UserId, { to, text, clientMessageId }: SendMessage): Promise<Message> => {
    rates.takeNow(rules.sendMessage, sender)
    const { id, kind, members } = openToWrite(await open(sender, to))
    takeStorage({ rates, rules }, sender, text)
    const sentAt = new Date(clock.now())
    const { message, repeated } = await store.append({
      conversationId: id,
      members,
      kind,
      sender,
      text,
      clientMessageId: clientMessageId ?? null,
      sentAt,
    })
    // Also when it is repeated: who stored it may have died before it was published. Whoever has it passes over it.
    if (repeated && isChanged(message)) return publishChanged({ store, bus }, sender, message)
    const sent = asNew(message)
    bus.publish(id, { kind: 'message', version: message.version, conversationId: id, message: sent })
    return repeated ? asSeenBy(sender, message, await store.receipts([id])) : sent
  }

const isChanged = ({ editedAt, deletedAt }: StoredMessage): boolean => editedAt !== null || deletedAt !== null

/** @throws ChatError `unknownMessage`, `notAllowed`, `messageDeleted`, `conflict`, `editWindowOver` */
export const editMessage =
  (ports: Ports, open: Open) =>
  async (caller: UserId, { messageId, text, revision }: EditMessage): Promise<Message> => {
    const { store, rates, rules, clock, editWindowMs } = ports
    rates.takeNow(rules.sendMessage, caller)
    const place = messagePlace(messageId)
    const present = await ownMessage(ports, open, caller, place)
    // An edit of an earlier revision may be a repeat, made in time: the store knows.
    const isNew = present.deletedAt === null && present.revision <= revision
    if (isNew && clock.now() - present.sentAt.getTime() > editWindowMs) throw new ChatError('editWindowOver')
    takeStorage(ports, caller, text)
    const { message } = await store.edit({ ...place, revision, text, editedAt: new Date(clock.now()) })
    return publishChanged(ports, caller, message)
  }

/** Of a message that was deleted before nothing changes. @throws ChatError `unknownMessage`, `notAllowed` */
export const deleteMessage =
  (ports: Ports, open: Open) =>
  async (caller: UserId, { messageId }: DeleteMessage): Promise<Message> => {
    const { store, rates, rules, clock } = ports
    rates.takeNow(rules.sendMessage, caller)
    const place = messagePlace(messageId)
    await ownMessage(ports, open, caller, place)
    const { message } = await store.delete({ ...place, deletedAt: new Date(clock.now()) })
    return publishChanged(ports, caller, message)
  }

/** A message of a conversation that the caller is a member of, and which the caller sent. */
const ownMessage = async (ports: Ports, open: Open, caller: UserId, place: MessagePlace): Promise<StoredMessage> => {
  const { conversation, message } = await readableMessage(ports, open, caller, place)
  openToWrite(conversation)
  if (message.sender !== caller) throw new ChatError('notAllowed')
  return message
}

/** Who may not read it learns the same as of a message that is not there (P9). @throws ChatError `unknownMessage` */
const readableMessage = async (
  { store }: Pick<Ports, 'store'>,
  open: Open,
  caller: UserId,
  place: MessagePlace,
): Promise<{ conversation: OpenConversation; message: StoredMessage }> => {
  const conversation = await openToRead(open, caller, place)
  const [message] = mayRead(conversation.intervals, place.seq) ? await store.messagesAt([place]) : []
  if (!message) throw new ChatError('unknownMessage')
  return { conversation, message }
}

/** @throws ChatError `unknownMessage` for whoever is a stranger there */
export const openToRead = (open: Open, caller: UserId, { conversationId }: MessagePlace): Promise<OpenConversation> =>
  open(caller, conversationId).catch((error: unknown) => {
    if (error instanceof ChatError && !error.retryable) throw new ChatError('unknownMessage')
    throw error
  })

/** Also when nothing has changed: who stored it may have died before it was published. */
const publishChanged = async (
  { store, bus }: Pick<Ports, 'store' | 'bus'>,
  caller: UserId,
  message: StoredMessage,
): Promise<Message> => {
  const { conversationId, version } = message
  bus.publish(conversationId, { kind: 'messageChanged', version, conversationId, message: asNew(message) })
  return asSeenBy(caller, message, await store.receipts([conversationId]))
}

export const messageVersions =
  (ports: ReadingPorts, open: Open) =>
  async (caller: UserId, { messageId }: MessageVersions): Promise<MessageVersionList> => {
    ports.rates.takeNow(ports.rules.call, caller)
    const place = messagePlace(messageId)
    await readableMessage(ports, open, caller, place)
    return { messageId, versions: await ports.readsOf(caller).textVersions(place) }
  }

/** One page of a conversation. The caller's own limits decide; what lies outside of it is an empty page. */
export const history =
  ({ readsOf, rates, rules }: ReadingPorts, open: Open) =>
  async (caller: UserId, { conversation, limit, ...place }: History): Promise<HistoryPage> => {
    rates.takeNow(rules.call, caller)
    const reads = readsOf(caller)
    const { id, intervals, members } = await open(caller, conversation)
    const lastKnown = async () => (await reads.conversation(id))?.lastSeq ?? 0
    const { from, to, newest } = await rangeOf(
      place,
      limit,
      async () => endsOf(intervals, await lastKnown())[1],
      (time) => reads.seqAt(id, time),
    )
    // Nothing of these waits for another: under load each wait is as long as the queue for the store.
    const isDirect = id.startsWith('dm:')
    const [lastThere, found, receipts, directPeople] = await Promise.all([
      lastKnown(),
      readParts(reads, id, readableParts(intervals, from, to), limit, newest, place.around),
      reads.receipts([id]),
      isDirect ? reads.profiles(members) : [],
    ])
    const stored = withinPage(found, anchorOf(found, place.around, newest), ({ text }) => text)
    // Of a group, whose members may be many, only those who are named on the page.
    const people = isDirect ? directPeople : await reads.profiles([...new Set(stored.map(({ sender }) => sender))])
    const [firstSeq, lastSeq] = endsOf(intervals, lastThere)
    const first = stored[0]?.seq ?? (newest ? firstSeq : Math.min(from, lastSeq + 1))
    const last = stored.at(-1)?.seq ?? (newest ? Math.min(to, lastSeq) : lastSeq)
    return {
      conversationId: id,
      messages: stored.map((message) => asSeenBy(caller, message, receipts)),
      people,
      nextBefore: first > firstSeq ? first : null,
      nextAfter: last < lastSeq ? last : null,
    }
  }

/** At most `limit` messages of these parts, in order. */
const readParts = async (
  reads: Pick<StoreReads, 'messages'>,
  conversationId: ConversationId,
  parts: ReturnType<typeof readableParts>,
  limit: number,
  newest: boolean,
  around: Seq | undefined,
): Promise<StoredMessage[]> => {
  const found: StoredMessage[] = []
  for (const part of newest ? parts.toReversed() : parts) {
    const left = limit - found.length
    if (left === 0) break
    const wanted = { around: around ?? (newest ? part.to : part.from), textBytes: limits.pageTextMaxBytes }
    const messages = await reads.messages({ conversationId, ...part, limit: left, newest, wanted })
    if (newest) found.unshift(...messages)
    else found.push(...messages)
  }
  return found
}

/** The first and the last that somebody with these intervals may read of the messages up to `lastThere`. */
const endsOf = (intervals: OpenConversation['intervals'], lastThere: number): [first: number, last: number] => {
  const readable = intervals.filter(({ fromSeq }) => fromSeq <= lastThere)
  const until = readable.at(-1)?.untilSeq ?? lastThere
  return [readable[0]?.fromSeq ?? 1, readable.length > 0 ? Math.min(lastThere, until) : 0]
}

/** Which one of these a page must have, however long the others are. */
const anchorOf = (found: StoredMessage[], around: number | undefined, newest: boolean): number => {
  const asked = around === undefined ? -1 : found.findIndex(({ seq }) => seq === around)
  if (asked >= 0) return asked
  return newest ? Math.max(found.length - 1, 0) : 0
}

/** Above every `seq`. */
const seqMax = Number.MAX_SAFE_INTEGER

const rangeOf = async (
  { before, after, around, beforeTime }: Pick<History, 'before' | 'after' | 'around' | 'beforeTime'>,
  limit: number,
  lastSeq: () => Promise<number>,
  seqAt: (time: Date) => Promise<number>,
): Promise<{ from: number; to: number; newest: boolean }> => {
  if (after !== undefined) return { from: after + 1, to: seqMax, newest: false }
  if (around !== undefined) {
    const to = Math.min(await lastSeq(), Math.max(around + Math.floor(limit / 2), limit))
    return { from: Math.max(1, to - limit + 1), to, newest: true }
  }
  const end = before ?? (beforeTime ? await seqAt(beforeTime) : seqMax)
  return { from: 1, to: end - 1, newest: true }
}
