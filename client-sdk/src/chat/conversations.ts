import type { ConversationPage, Message, Profile } from '../../../server/contract/index.ts'
import type { ChatClient } from '../client.ts'
import { asChatError, type ChatError } from '../connection/errors.ts'
import { orAborted } from '../connection/sleep.ts'
import { asShown, type ChatMessage, withChange } from './message.ts'
import type { Ask } from './online.ts'
import type { ChatOutbox } from './outbox/outbox.ts'
import { isChange } from './outbox/outgoing.ts'
import type { People } from './people.ts'
import type { Summary, Timeline } from './timeline.ts'
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
  ask: Ask
  people: People
  outbox: Pick<ChatOutbox, 'getSnapshot'>
  timelines: ReadonlyMap<string, Timeline>
  timelineOf(conversationId: string): Timeline
  signal: AbortSignal
}

/** Reads the list of conversations into their timelines, and shows what those say. */
export const createConversations = (options: ConversationsOptions) => {
  const { userId, client, ask, people, outbox, timelines, timelineOf, signal } = options
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

  const snapshot = (): ConversationsSnapshot => {
    const changes = outbox.getSnapshot().filter(isChange)
    const shown = (message: Message, { receipts }: Timeline) =>
      withChange(receipts.marker()(asShown(message, userId, people)), changes)
    const summaries = [...timelines.values()].flatMap((timeline) => {
      const { id, summary } = timeline
      return summary ? [{ id, timeline, ...summary }] : []
    })
    return {
      conversations: summaries.sort(byNewest).map(({ timeline, members, lastMessage, ...summary }) => ({
        ...summary,
        members: members.map(people.profileOf),
        lastMessage: lastMessage && shown(lastMessage, timeline),
      })),
      hasMore: nextCursor !== null,
      isLoading: reading !== null || !(isLoaded || error),
      error,
    }
  }
  const view = createView(snapshot, () => {
    if (!isLoaded) void read(null)
  })

  /** @param isAnew it takes the place of all that was known */
  const receivePage = (page: ConversationPage, isAnew: boolean, cursor: string | null) => {
    if (isAnew) for (const timeline of timelines.values()) timeline.forgetSummary()
    for (const conversation of page.conversations) {
      people.accept(conversation.members)
      timelineOf(conversation.id).receiveSummary(conversation)
    }
    // Read again, the first page says nothing of those behind it.
    if (!isLoaded || isAnew || cursor !== null) nextCursor = page.nextCursor
    isLoaded = true
    arrivals.forEach(count)
  }
  const read = (cursor: string | null): Promise<void> => {
    reading ??= (async () => {
      arrivals = []
      error = null
      isStale = false
      const isAnew = isLost
      isLost = false
      view.changed()
      try {
        const input = { limit: pageSize, ...(cursor !== null && { cursor }) }
        const page = await ask((options) => client.conversations(input, options))
        // Lost once more: what was read may be gone as well.
        if (!isLost) receivePage(page, isAnew, cursor)
      } catch (cause) {
        isLost ||= isAnew
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
  const count = (message: Message) => {
    if (timelineOf(message.conversationId).count(message)) refresh()
  }

  return {
    ...view,
    loadMore: ({ signal }: { signal?: AbortSignal | undefined } = {}) => orAborted(loadMore(), signal),
    /** A message that the loop has emitted. */
    receive(message: Message) {
      if (reading) arrivals.push(message)
      if (isLoaded) count(message)
    },
    /** There may be more than was published. */
    refresh,
    /** The server's store is another than before: all is read anew, and shown until then. */
    reset(isWanted: boolean) {
      arrivals = []
      isLost = isLoaded || reading !== null
      refresh(isWanted)
    },
  }
}

/** By when the newest message was sent: a later version of it may be that of an edit. */
const byNewest = ({ lastMessage: a }: Summary, { lastMessage: b }: Summary): number =>
  Number(b?.sentAt ?? 0) - Number(a?.sentAt ?? 0) || (b?.version ?? 0) - (a?.version ?? 0)
