import type { Conversation, HistoryPage, Message } from '../../../server/contract/index.ts'
import { directMembers } from '../../../server/contract/places.ts'
import type { Top } from '../events/cursor.ts'
import { standingOf } from '../events/timeline.ts'
import { asShown, type ChatMessage, isLaterState, latest } from './message.ts'
import type { People } from './people.ts'
import { createReceipts, type ReceiptFacts } from './receipts.ts'
import { withStates } from './window.ts'

export interface Summary {
  kind: Conversation['kind']
  members: readonly string[]
  lastMessage: Message | null
  unread: number
}

export interface TimelineOptions {
  id: string
  /** Who looks at it. */
  viewer: string
  people: People
  onChange(): void
}

/**
 * What this chat knows of one conversation: which of its messages, in which order and state, how far its members have got
 * and read them, and how many are unread. It asks the server nothing; what its views show derives from it.
 */
export const createTimeline = ({ id, viewer, people, onChange }: TimelineOptions) => {
  const receipts = createReceipts(id, viewer)
  /** Whose names are wanted here. */
  const names = new Set(directMembers(id) ?? [])
  /** In order of `seq`, without a hole; the history was read from the first of these on. */
  let messages: readonly ChatMessage[] = []
  /** It was read; until then `messages` is empty. */
  let isOpen = false
  /** What stands in `messages` is shown until they are read anew. */
  let isForgotten = false
  /** What came and has no place yet: others are missing before it, or a page that is being read has its place. */
  const waiting = new Map<number, ChatMessage>()
  /** Those of them that were sent from here. */
  const sentHere = new Set<number>()
  /** The newest message that the loop has emitted. */
  let emittedSeq = 0
  let nextBefore: number | null = null
  /** As the list of conversations shows it; null: it is not known there. */
  let summary: Summary | null = null

  const forgetWaiting = () => {
    waiting.clear()
    sentHere.clear()
  }
  const topSeq = () => messages.at(-1)?.seq ?? 0
  const firstSeq = () => messages[0]?.seq ?? 1
  const readSeq = () => receipts.progressOf(viewer).readSeq
  const isAllRead = (last: Message | null) => readSeq() >= (last?.seq ?? 0)

  /** The newest message that is known here. */
  const newest = (): Top | null => {
    let top: Top | null = summary?.lastMessage ?? null
    for (const { seq, sentAt } of [...messages.slice(-1), ...waiting.values()])
      if (seq !== null && seq >= (top?.seq ?? 0)) top = { seq, sentAt }
    return top
  }

  const shown = (of: readonly Message[]): ChatMessage[] => {
    const mark = receipts.marker()
    return of.map((message) => {
      names.add(message.sender)
      return mark(asShown(message, viewer, people))
    })
  }
  const change = (how: (message: ChatMessage) => ChatMessage) => {
    messages = messages.map(how)
    for (const [seq, message] of waiting) waiting.set(seq, how(message))
    onChange()
  }

  /** Sent from here, and acknowledged while others are missing before them; those are on their way. */
  const ownAhead = (): ChatMessage[] =>
    [...waiting.values()]
      .filter(({ seq }) => sentHere.has(Number(seq)) && Number(seq) > topSeq())
      .sort((a, b) => Number(a.seq) - Number(b.seq))
  /** Each in its place, unless a later state stands there, and what waited for them behind them. */
  const place = (states: readonly ChatMessage[]) => {
    messages = withStates(messages, states)
    const found = [...waiting].sort(([a], [b]) => a - b).filter(([seq]) => seq >= firstSeq())
    for (const [seq, state] of found) {
      if (seq > topSeq() + 1) break
      if (!isForgotten) waiting.delete(seq)
      messages = withStates(messages, [state])
    }
    for (const seq of sentHere) if (!waiting.has(seq)) sentHere.delete(seq)
    onChange()
  }
  const receive = (message: Message) => {
    const { seq } = message
    const [state] = shown([message]) as [ChatMessage]
    const hasPlace = isOpen && seq >= firstSeq() && seq <= topSeq() + 1
    if (!hasPlace || isForgotten) waiting.set(seq, latest(waiting.get(seq), state))
    if (hasPlace) place([state])
    else onChange()
  }

  /** @returns whether nobody knows here how many are unread now */
  const count = (message: Message): boolean => {
    if (!summary) return true
    const lastSeq = summary.lastMessage?.seq ?? 0
    const isUnread = message.sender !== viewer && !isAllRead(message)
    if (message.seq > lastSeq || isLaterState(message, summary.lastMessage)) summary.lastMessage = message
    if (message.seq > lastSeq && isUnread && !message.deletedAt) summary.unread++
    onChange()
    return message.seq <= lastSeq && isUnread && message.deletedAt !== null && summary.unread > 0
  }

  return {
    id,
    names,
    receipts,
    readSeq,
    count,
    topSeq,
    firstSeq,
    get isOpen() {
      return isOpen
    },
    get nextBefore() {
      return nextBefore
    },
    get summary(): Summary | null {
      return summary
    },
    /** Without a hole. */
    messages: () => messages,
    ownAhead,
    /** The newest message up to this number that is to be told as read: what stands above those that were read counts. */
    seenSeq(upTo: number): number | null {
      // It may be gone.
      if (isForgotten) return null
      const isAbove = isOpen ? upTo < firstSeq() : upTo <= (newest()?.seq ?? 0)
      if (isAbove) return upTo > readSeq() ? upTo : null
      // What was read is not looked through again.
      const unread = messages.slice(messages.findLastIndex(({ seq }) => Number(seq) <= readSeq()) + 1)
      const seen = unread.filter(({ seq }) => Number(seq) <= upTo)
      // Unread ones may stand above what was loaded, with own messages alone below them.
      const isAllUnread = unread.length === messages.length && firstSeq() > readSeq() + 1
      return (seen.findLast(({ status }) => status === 'received') ?? (isAllUnread ? seen.at(-1) : null))?.seq ?? null
    },
    /** The loop has emitted newer ones than stand here. */
    isBehind: () => isOpen && topSeq() < emittedSeq,
    /** The server has nothing newer, whatever was emitted. */
    isComplete() {
      emittedSeq = topSeq()
    },

    /** The newest page of the history. What was here before is forgotten. */
    open(page: HistoryPage) {
      isOpen = true
      isForgotten = false
      messages = []
      nextBefore = page.nextBefore
      place(shown(page.messages))
    },
    /** The page before the first message. */
    addOlder(page: HistoryPage) {
      nextBefore = page.nextBefore
      place(shown(page.messages))
    },
    /** A page from the first message on. */
    add: (page: HistoryPage) => place(shown(page.messages)),
    /** No page is being read any more: what stands before the first message has its place there. */
    settle() {
      for (const seq of waiting.keys()) if (!isOpen || seq < firstSeq()) waiting.delete(seq)
    },
    /** A message that the loop has emitted, as new or as it is now. @param isWanted somebody reads the history */
    receive(message: Message, isWanted: boolean) {
      emittedSeq = Math.max(emittedSeq, message.seq)
      if (isOpen || isWanted) receive(message)
    },
    /** An own message that was acknowledged. */
    acknowledge(message: Message, isWanted: boolean) {
      if (!isOpen && !isWanted) return
      sentHere.add(message.seq)
      receive(message)
    },
    /** Lets go of the messages. */
    close() {
      messages = []
      isOpen = isForgotten = false
      nextBefore = null
      forgetWaiting()
      onChange()
    },

    receiveReceipt(receipt: ReceiptFacts): boolean {
      const isNew = receipts.receive(receipt)
      if (isNew && receipts.counts(receipt.userId)) change(receipts.marker())
      return isNew
    },
    receiveSummary({ kind, members, lastMessage, unread, receipts: all }: Conversation) {
      const userIds = members.map(({ userId }) => userId)
      receipts.setMembers(userIds)
      for (const receipt of all) receipts.receive(receipt)
      const known = summary?.lastMessage ?? null
      const last = known && isLaterState(known, lastMessage) ? known : lastMessage
      summary = { kind, members: userIds, lastMessage: last, unread: isAllRead(last) ? 0 : unread }
      change(receipts.marker())
    },
    /** A later state of the newest message. */
    showLast(message: Message) {
      if (!summary || !isLaterState(message, summary.lastMessage)) return
      summary.lastMessage = message
      onChange()
    },
    /** The viewer has read more. @returns whether nobody knows here how many are unread now */
    recount(): boolean {
      if (!summary || summary.unread === 0) return false
      if (!isAllRead(summary.lastMessage)) return true
      summary.unread = 0
      onChange()
      return false
    },
    forgetSummary() {
      summary = null
    },
    renamed: () =>
      change((message) => {
        const senderName = people.nameOf(message.sender)
        return senderName === message.senderName ? message : { ...message, senderName }
      }),

    newest,
    /** Whether this message says that the server's store was restored from a backup, and numbers anew. */
    isRewoundBy(message: Message): boolean {
      const last = newest()
      return last !== null && standingOf(message, last) === 'rewound'
    },
    /** The server has nothing any more of what came after this number. */
    rewind(afterSeq: number) {
      receipts.clear()
      summary = null
      forgetWaiting()
      emittedSeq = Math.min(emittedSeq, afterSeq)
      messages = messages.filter(({ seq }) => Number(seq) <= afterSeq)
      if (isOpen && messages.length === 0) nextBefore = afterSeq > 0 ? afterSeq + 1 : null
      onChange()
    },
    /** The server's store is another than before: what stands here is shown until it was read anew. */
    forget() {
      messages = withStates(messages, ownAhead())
      isForgotten = true
      receipts.clear()
      forgetWaiting()
      emittedSeq = 0
    },
  }
}
export type Timeline = ReturnType<typeof createTimeline>
