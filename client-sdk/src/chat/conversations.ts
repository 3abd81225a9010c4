import type { Conversation, Message, Receipt } from '../../../server/contract/index.ts'
import type { ChatClient } from '../client.ts'
import { asChatError, type ChatError } from '../errors.ts'
import { orAborted } from '../pause.ts'
import { asShown, type ChatMessage } from './message.ts'
import { patiently } from './patient.ts'
import type { Progress } from './progress.ts'
import { createView, type View } from './view.ts'

const pageSize = 50

export interface ConversationSummary {
  id: string
  kind: 'direct' | 'group'
  members: readonly string[]
  lastMessage: ChatMessage | null
  /** Messages of others that this user has not read, among the newest 1,000. */
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
  username: string
  client: ChatClient
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

export const createConversations = ({ username, client, progressOf, onProgress, signal }: ConversationsOptions) => {
  const entries = new Map<string, Entry>()
  let isLoaded = false
  let nextCursor: string | null = null
  let error: ChatError | null = null
  let reading: Promise<void> | null = null
  /** It is to be read anew as soon as nothing is being read. */
  let isStale = false
  /** What has come since the reading began: the answer may be older. */
  let arrivals: Message[] = []

  const view = createView((): ConversationsSnapshot => {
    const newestFirst = [...entries].sort(
      ([, a], [, b]) => (b.lastMessage?.version ?? 0) - (a.lastMessage?.version ?? 0),
    )
    return {
      conversations: newestFirst.map(([id, { kind, members, lastMessage, unread }]) => ({
        id,
        kind,
        members,
        lastMessage: lastMessage && progressOf(id).marker()(asShown(lastMessage, username)),
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
        page.conversations.forEach(takeSummary)
        // Read anew, the first page says nothing of those behind it.
        if (!isLoaded || cursor !== null) nextCursor = page.nextCursor
        isLoaded = true
        arrivals.forEach(advance)
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
    progress.setMembers(members)
    for (const receipt of receipts) progress.take(receipt)
    entries.set(id, { kind, members, lastMessage, unread: isAllRead(id, lastMessage) ? 0 : unread })
    onProgress(id)
  }
  const isAllRead = (id: string, last: Message | null) => progressOf(id).placeOf(username).readSeq >= (last?.seq ?? 0)

  const advance = (message: Message) => {
    const entry = entries.get(message.conversationId)
    if (!entry) return refresh()
    if (message.seq <= (entry.lastMessage?.seq ?? 0)) return
    entry.lastMessage = message
    const isUnread = message.sender !== username && !isAllRead(message.conversationId, message)
    if (isUnread) entry.unread++
    view.changed()
  }

  return {
    getSnapshot: view.getSnapshot,
    subscribe(listener: () => void) {
      if (!isLoaded) void read(null)
      return view.subscribe(listener)
    },
    loadMore: ({ signal }: { signal?: AbortSignal | undefined } = {}) => orAborted(loadMore(), signal),
    take(message: Message) {
      if (reading) arrivals.push(message)
      if (isLoaded) advance(message)
    },
    last: (conversationId: string): Message | null => entries.get(conversationId)?.lastMessage ?? null,
    /** The server numbers this conversation anew. */
    putBack(conversationId: string) {
      entries.delete(conversationId)
      refresh(true)
    },
    /** The progress of a member has changed. */
    takeReceipt({ conversationId, username: whose }: Pick<Receipt, 'conversationId' | 'username'>) {
      const entry = entries.get(conversationId)
      if (!entry) return
      if (whose === username && entry.unread > 0) {
        if (isAllRead(conversationId, entry.lastMessage)) entry.unread = 0
        else refresh()
      }
      view.changed()
    },
    /** More was missed than was replayed. */
    refresh,
    stop: view.stop,
  }
}
