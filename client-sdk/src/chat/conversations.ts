import type { Conversation, Message, Profile, Receipt } from '../../../server/contract/index.ts'
import type { ChatClient } from '../client.ts'
import { asChatError, type ChatError } from '../connection/errors.ts'
import { orAborted } from '../connection/pause.ts'
import { asShown, type ChatMessage, withChange } from './message.ts'
import type { OutgoingChange } from './outbox/outgoing.ts'
import { patiently } from './patient.ts'
import type { People } from './people.ts'
import type { Progress } from './progress.ts'
import { createView, type View } from './view.ts'

const pageSize = 50

export interface ConversationSummary {
  id: string
  kind: 'direct' | 'group'
  /** By their present names. */
  members: readonly Profile[]
  lastMessage: ChatMessage | null
  /** Messages of others that this user has not read; deleted ones do not count. Exact. */
  unread: number
}

export interface ConversationsSnapshot {
  /** The one with the newest message first. */
  conversations: readonly ConversationSummary[]
  /** Whether there are more: `loadMore()`. */
  hasMore: boolean
  /** Also where nothing was read yet: it is when somebody subscribes. */
  isLoading: boolean
  error: ChatError | null
}

/** The conversations of this user. They are read when somebody subscribes, and stay true from then on. */
export interface ConversationsView extends View<ConversationsSnapshot> {
  /** Reads the next page. @param options.signal ends the wait: it rejects with the signal's reason */
  loadMore(options?: { signal?: AbortSignal | undefined }): Promise<void>
}

export interface ConversationsOptions {
  userId: string
  client: ChatClient
  people: People
  /** Own changes of messages that are on their way. */
  changes(): readonly OutgoingChange[]
  progressOf(conversationId: string): Progress
  /** The server told how far its members are. */
  onProgress(conversationId: string): void
  signal: AbortSignal
}

interface Entry {
  kind: Conversation['kind']
  members: string[]
  lastMessage: Message | null
  unread: number
}

export const createConversations = (options: ConversationsOptions) => {
  const { userId, client, people, progressOf, onProgress, signal } = options
  const entries = new Map<string, Entry>()
  let isLoaded = false
  let nextCursor: string | null = null
  let error: ChatError | null = null
  let reading: Promise<void> | null = null
  /** It is to be read anew as soon as nothing is being read. */
  let isStale = false
  /** What is shown may be gone at the server. */
  let isLost = false
  /** What has come since the reading began: the answer may be older. */
  let arrivals: Message[] = []

  const view = createView((): ConversationsSnapshot => {
    const changes = options.changes()
    const shown = (message: Message) =>
      withChange(progressOf(message.conversationId).marker()(asShown(message, userId, people)), changes)
    return {
      conversations: [...entries].sort(byNewest).map(([id, { kind, members, lastMessage, unread }]) => ({
        id,
        kind,
        members: members.map(people.profileOf),
        lastMessage: lastMessage && shown(lastMessage),
        unread,
      })),
      hasMore: nextCursor !== null,
      isLoading: reading !== null || !(isLoaded || error),
      error,
    }
  })

  const read = (cursor: string | null): Promise<void> => {
    reading ??= (async () => {
      arrivals = []
      error = null
      isStale = false
      view.changed()
      try {
        const input = { limit: pageSize, ...(cursor !== null && { cursor }) }
        const page = await patiently(client, () => client.conversations(input, { signal }), signal)
        if (isLost) entries.clear()
        page.conversations.forEach(takeSummary)
        // Read anew, the first page says nothing of those behind it.
        if (!isLoaded || isLost || cursor !== null) nextCursor = page.nextCursor
        isLoaded = true
        isLost = false
        arrivals.forEach(accept)
      } catch (cause) {
        if (!signal.aborted) error = asChatError(cause)
      } finally {
        reading = null
        view.changed()
      }
      if (isStale && !error) await read(null)
    })()
    return reading
  }
  const loadMore = async () => {
    if (reading) await reading
    if (!isLoaded) await read(null)
    else if (nextCursor !== null) await read(nextCursor)
  }
  /** @param isWanted also where nobody looks at the conversations: their receipts are. */
  const refresh = (isWanted = false) => {
    isStale = true
    if ((isLoaded || isWanted) && !reading) void read(null)
  }

  const takeSummary = ({ id, kind, members, lastMessage, unread, receipts }: Conversation) => {
    const progress = progressOf(id)
    const names = members.map(({ userId }) => userId)
    people.accept(members)
    progress.setMembers(names)
    for (const receipt of receipts) progress.take(receipt)
    const known = entries.get(id)?.lastMessage
    const last = known && isLaterState(known, lastMessage) ? known : lastMessage
    entries.set(id, { kind, members: names, lastMessage: last, unread: isAllRead(id, last) ? 0 : unread })
    onProgress(id)
  }
  const isAllRead = (id: string, last: Message | null) => progressOf(id).placeOf(userId).readSeq >= (last?.seq ?? 0)

  const accept = (message: Message) => {
    const entry = entries.get(message.conversationId)
    if (!entry) return refresh()
    const lastSeq = entry.lastMessage?.seq ?? 0
    const isUnread = message.sender !== userId && !isAllRead(message.conversationId, message)
    if (message.seq > lastSeq || isLaterState(message, entry.lastMessage)) entry.lastMessage = message
    if (message.seq > lastSeq && isUnread && !message.deletedAt) entry.unread++
    // Nobody knows here whether it was counted.
    if (message.seq <= lastSeq && isUnread && message.deletedAt && entry.unread > 0) refresh()
    view.changed()
  }

  return {
    getSnapshot: view.getSnapshot,
    subscribe(listener: () => void) {
      if (!isLoaded) void read(null)
      return view.subscribe(listener)
    },
    loadMore: ({ signal }: { signal?: AbortSignal | undefined } = {}) => orAborted(loadMore(), signal),
    /** A message that came in, as new or as it is now. */
    take(message: Message) {
      if (reading) arrivals.push(message)
      if (isLoaded) accept(message)
    },
    last: (conversationId: string): Message | null => entries.get(conversationId)?.lastMessage ?? null,
    /** The server numbers this conversation anew. */
    putBack(conversationId: string) {
      entries.delete(conversationId)
      refresh(true)
    },
    /** The progress of a member has changed. */
    takeReceipt({ conversationId, userId: whose }: Pick<Receipt, 'conversationId' | 'userId'>) {
      const entry = entries.get(conversationId)
      if (!entry) return
      if (whose === userId && entry.unread > 0) {
        if (isAllRead(conversationId, entry.lastMessage)) entry.unread = 0
        else refresh()
      }
      view.changed()
    },
    /** More was missed than was replayed. */
    refresh,
    /** The server's store is another than before: all is read anew, and shown until then. */
    beginAnew() {
      arrivals = []
      isLost = isLoaded || reading !== null
      refresh()
    },
    /** Names or own changes are others. */
    changed: view.changed,
    stop: view.stop,
  }
}

/** Another state of the same message, and a later one. */
const isLaterState = (message: Message, than: Message | null): boolean =>
  than !== null && message.seq === than.seq && message.version > than.version

/** By when the newest message was sent: a later version of it may be that of an edit. */
const byNewest = ([, a]: [string, Entry], [, b]: [string, Entry]): number =>
  (b.lastMessage?.sentAt.getTime() ?? 0) - (a.lastMessage?.sentAt.getTime() ?? 0) ||
  (b.lastMessage?.version ?? 0) - (a.lastMessage?.version ?? 0)
