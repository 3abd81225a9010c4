import type { History, HistoryPage, Message, SendMessage, Username } from '../contract/index.ts'
import type { Open } from './conversations.ts'
import { asNew, asSeenBy } from './message-view.ts'
import { withinPage } from './page-text.ts'
import type { Ports, StoredMessage } from './ports.ts'

export const sendMessage =
  ({ store, bus, rates, rules, clock }: Ports, open: Open) =>
  async (sender: Username, { to, text, clientMessageId }: SendMessage): Promise<Message> => {
    rates.takeNow(rules.sendMessage, sender)
    const { id, kind, members } = await open(sender, to)
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
    const sent = asNew(message)
    // Also when it is repeated: who stored it may have died before it told anybody. Whoever had it passes over it.
    bus.publish(members, { type: 'message', message: sent })
    return repeated ? asSeenBy(sender, message, await store.receipts([id])) : sent
  }

/** One page of a conversation. The caller's own limits decide; what lies outside of it is an empty page. */
export const history =
  ({ store, rates, rules }: Ports, open: Open) =>
  async (caller: Username, { conversation, limit, ...place }: History): Promise<HistoryPage> => {
    rates.takeNow(rules.call, caller)
    const { id } = await open(caller, conversation)
    const lastSeq = (await store.conversation(id))?.lastSeq ?? 0
    const { from, to, newest } = await rangeOf(place, lastSeq, limit, (time) => store.seqAt(id, time))
    const found = await store.messages({ conversationId: id, from, to, limit, newest })
    const stored = withinPage(found, anchorOf(found, place.around, newest), ({ text }) => text)
    const receipts = stored.length === 0 ? [] : await store.receipts([id])
    const first = stored[0]?.seq ?? (newest ? 1 : Math.min(from, lastSeq + 1))
    const last = stored.at(-1)?.seq ?? (newest ? to : lastSeq)
    return {
      conversationId: id,
      messages: stored.map((message) => asSeenBy(caller, message, receipts)),
      nextBefore: first > 1 ? first : null,
      nextAfter: last < lastSeq ? last : null,
    }
  }

/** Which one of these a page must have, however long the others are. */
const anchorOf = (found: StoredMessage[], around: number | undefined, newest: boolean): number => {
  const asked = around === undefined ? -1 : found.findIndex(({ seq }) => seq === around)
  if (asked >= 0) return asked
  return newest ? Math.max(found.length - 1, 0) : 0
}

const rangeOf = async (
  { before, after, around, beforeTime }: Pick<History, 'before' | 'after' | 'around' | 'beforeTime'>,
  lastSeq: number,
  limit: number,
  seqAt: (time: Date) => Promise<number>,
): Promise<{ from: number; to: number; newest: boolean }> => {
  if (after !== undefined) return { from: after + 1, to: lastSeq, newest: false }
  if (around !== undefined) {
    const to = Math.min(lastSeq, Math.max(around + Math.floor(limit / 2), limit))
    return { from: Math.max(1, to - limit + 1), to, newest: true }
  }
  const end = before ?? (beforeTime ? await seqAt(beforeTime) : lastSeq + 1)
  return { from: 1, to: Math.min(end - 1, lastSeq), newest: true }
}
