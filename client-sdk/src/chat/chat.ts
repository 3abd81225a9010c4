import type { Message, Profile } from '../../../server/contract/index.ts'
import { conversationIdOf, messagePlace } from '../../../server/contract/places.ts'
import type { ChatClient } from '../client.ts'
import { ChatError } from '../connection/errors.ts'
import type { FeedEvent } from '../events/feed.ts'
import type { EventsOptions } from '../events/loops.ts'
import { type Conversation, type ConversationView, createConversation } from './conversation.ts'
import { type ConversationsView, createConversations } from './conversations.ts'
import { createAsk } from './online.ts'
import { indexedDbStorage } from './outbox/indexed-db.ts'
import { createOutbox, type Outbox, type SavedChange, type Target } from './outbox/outbox.ts'
import type { Outgoing } from './outbox/outgoing.ts'
import { memoryStorage, type OpenOutboxStorage } from './outbox/storage.ts'
import { createPeople } from './people.ts'
import { createPresence, type PresenceView } from './presence.ts'
import { createReadAcks } from './read-acks.ts'
import type { ReceiptFacts } from './receipts.ts'
import { createTimeline, type Timeline } from './timeline.ts'

export interface ChatOptions {
  /** Whose chat it is: the outbox sends for nobody else. */
  userId: string
  /**
   * Where messages are kept until the server has them: what this storage cannot keep fails with `notStored`. Default:
   * IndexedDB where there is one, else memory; where IndexedDB fails, `onError` says so once, and memory takes its place. In
   * Node, `fileStorage(path)` of `@parley/client/file-storage`.
   */
  storage?: OpenOutboxStorage
  /** How many messages the outbox holds; more are refused. Default 1,000. */
  outboxMax?: number
  /**
   * After how long what could not be sent fails with `timedOut`, in milliseconds of this program's run: neither a sleep of the
   * machine nor the time between two runs counts. Default one day.
   */
  giveUpAfterMs?: number
  /**
   * Told why nothing comes in any more, of messages or of who is online; with `notStored`, why the outbox keeps nothing, or
   * only as long as the page is open.
   */
  onError?(error: ChatError): void
}

/** What a chat application shows, kept true, on one client: it reads, follows, sends and remembers. */
export interface Chat extends AsyncDisposable {
  readonly userId: string
  readonly outbox: Outbox
  readonly conversations: ConversationsView
  /** The same view for the same conversation. @param to a user id or the id of a conversation */
  conversation(to: string): ConversationView
  /** Shown as `sending` at once, and sent as soon as can be. @throws ChatError `outboxFull` */
  send(message: { to: string; text: string }): Outgoing
  /**
   * Gives an own message that the server has another text, in the same way; `edit` of a conversation's view is for what it
   * shows. @param edit.revision the one of the text that this edit was made on, as the message had it
   * @throws ChatError `messageDeleted` where its deletion is on its way, `outboxFull`
   */
  edit(edit: { messageId: string; revision: number; text: string }): SavedChange
  /** Deletes an own message that the server has, in the same way. @throws ChatError `outboxFull` */
  delete(deletion: { messageId: string }): SavedChange<Message | null>
  /** @param users all, if left out */
  presence(users?: string[]): PresenceView
  /** For good; the client stays open. Resolves when the outbox is written. What it holds is sent by the next chat. */
  close(): Promise<void>
}

/** What nobody looks at is kept up to this many conversations, and sets of people; older ones are read anew when they are opened. */
const unwatchedMax = 20
const dayMs = 24 * 60 * 60 * 1_000

export const createChat = (client: ChatClient, options: ChatOptions): Chat => {
  const { userId, outboxMax = 1_000, giveUpAfterMs = dayMs, onError = () => {} } = options
  const over = new AbortController()
  const { signal } = over
  const timelines = new Map<string, Timeline>()
  const opened = new Map<string, Conversation>()
  const presences = new Map<string, ReturnType<typeof createPresence>>()

  const people = createPeople(() => {
    for (const timeline of timelines.values()) timeline.renamed()
    conversations.changed()
  })
  const timelineOf = (id: string): Timeline => {
    const known = timelines.get(id)
    if (known) return known
    const onChange = () => {
      opened.get(id)?.changed()
      conversations.changed()
    }
    const timeline = createTimeline({ id, viewer: userId, people, onChange })
    timelines.set(id, timeline)
    return timeline
  }
  const ask = createAsk(client, userId, signal)
  const outbox = createOutbox({
    client,
    owner: { url: client.url, userId },
    openStorage: options.storage ?? defaultStorage,
    mustKeep: options.storage !== undefined,
    draftsMax: outboxMax,
    giveUpAfterMs,
    onError,
    onSent(message) {
      lookForRewind(message)
      opened.get(message.conversationId)?.acknowledge(message)
      // New ones come in by themselves, in their order: what is unread is counted along it.
      timelineOf(message.conversationId).showLast(message)
    },
    onChange() {
      for (const conversation of opened.values()) conversation.changed()
      conversations.changed()
    },
  })
  const shared = { userId, client, ask, people, outbox, signal }
  const conversations = createConversations({ ...shared, timelines, timelineOf })
  const readAcks = createReadAcks(client, ask, () => conversations.refresh(), signal)

  const receive = (event: FeedEvent) => {
    if (event.type === 'message' || event.type === 'messageChanged') receiveMessage(event.message)
    if (event.type === 'user') receiveProfile(event.user)
    if (event.type === 'rewound') rewind(event.conversationId, event.afterSeq)
    if (event.type === 'receipt') receiveReceipt(event.receipt)
    if (event.type === 'ready') receiveReady(event)
  }
  const receiveMessage = (message: Message) => {
    lookForRewind(message)
    if (message.sender === userId) outbox.confirm(message)
    const conversation = opened.get(message.conversationId)
    if (conversation) conversation.receive(message)
    else timelineOf(message.conversationId).receive(message, false)
    conversations.receive(message)
  }
  const receiveReceipt = (receipt: ReceiptFacts) => {
    const timeline = timelineOf(receipt.conversationId)
    const isNew = timeline.receiveReceipt(receipt)
    // Her own was taken for said when she read; what is unread follows from what the server makes of it.
    const isOwn = receipt.userId === userId
    if (isOwn && timeline.recount()) conversations.refresh()
    if (isNew || isOwn) conversations.changed()
  }
  const receiveProfile = (profile: Profile) => {
    people.accept([profile])
    for (const presence of presences.values()) presence.rename(profile)
  }
  const receiveReady = ({ replay }: Extract<FeedEvent, { type: 'ready' }>) => {
    if (cursor !== undefined) lookForRestore().catch(() => {})
    // What came after a view was read and before a loop begins may be published to nobody: another device can have it.
    else for (const conversation of opened.values()) conversation.refresh()
    // Nor are receipts replayed after a reset.
    if (cursor === undefined || replay === 'reset') conversations.refresh(areReceiptsWanted())
  }
  const areReceiptsWanted = () => [...opened.values()].some(({ isLoaded }) => isLoaded)

  const rewind = (conversationId: string, afterSeq: number) => {
    timelineOf(conversationId).rewind(afterSeq)
    // What changed before, there and in other conversations, may be lost as well.
    reset()
  }
  /** Views were read from the history too: what they show may be from before, also where no loop has had it. */
  const lookForRewind = (message: Message) => {
    const { conversationId, seq } = message
    if (timelineOf(conversationId).isRewoundBy(message)) rewind(conversationId, seq - 1)
  }
  /** After a lost connection: a server that no longer has the newest message may have lost others as well. */
  const lookForRestore = async () => {
    const tops = [...timelines.values()].flatMap(({ id, newest }) => {
      const top = newest()
      return top ? [{ conversation: id, ...top }] : []
    })
    const newest = tops.sort((a, b) => Number(b.sentAt) - Number(a.sentAt))[0]
    if (!newest) return
    const { conversation, seq, sentAt } = newest
    const around = { conversation, around: seq, limit: 1 }
    const { messages } = await ask((options) => client.history(around, options))
    if (!messages.some((found) => found.seq === seq && Number(found.sentAt) === Number(sentAt))) reset()
  }
  /** The server's store was restored, and is behind what this chat has had: nothing here need be there any more. */
  const reset = () => {
    people.forget()
    for (const timeline of timelines.values()) if (!opened.has(timeline.id)) timeline.forget()
    for (const conversation of opened.values()) conversation.reset()
    conversations.reset(areReceiptsWanted())
  }

  let cursor: string | undefined
  const follow = async (options: EventsOptions): Promise<void> => {
    try {
      for await (const event of client.events({ ...options, cursor })) {
        receive(event)
        cursor = event.cursor || cursor
      }
    } catch (error) {
      if (!(error instanceof ChatError && error.kind === 'badCursor' && cursor !== undefined)) throw error
      cursor = undefined
      reset()
      await follow(options)
    }
  }
  ask(follow).catch((error) => signal.aborted || onError(error))

  let closing: Promise<void> | null = null
  const close = () => (closing ??= end())
  const end = async () => {
    over.abort()
    unlisten()
    conversations.stop()
    for (const view of [...opened.values(), ...presences.values()]) view.stop()
    await outbox.close()
  }
  const unlisten = client.onState(({ status }) => {
    if (status === 'closed') void close()
  })

  /** Views stay as they are for whoever holds one; what they hold is read anew when somebody subscribes. */
  const unloadUnwatched = () => {
    for (const [, conversation] of tooMany(opened)) conversation.unload()
  }
  const forgetUnwatched = () => {
    for (const [key] of tooMany(presences)) presences.delete(key)
  }
  const markRead = (conversationId: string, seq: number) => {
    receiveReceipt({ conversationId, userId, deliveredSeq: seq, readSeq: seq })
    readAcks.send(timelineOf(conversationId))
  }

  return {
    userId,
    outbox,
    conversations,
    send: outbox.send,
    edit: ({ messageId, revision, text }) => outbox.edit(targetOf(messageId), revision, text),
    delete: ({ messageId }) => outbox.delete(targetOf(messageId)),
    conversation(to) {
      const id = conversationIdOf(userId, to)
      const known = opened.get(id)
      opened.delete(id)
      const conversation =
        known ?? createConversation({ ...shared, timeline: timelineOf(id), markRead: (seq) => markRead(id, seq) })
      opened.set(id, conversation)
      unloadUnwatched()
      return conversation
    },
    presence(users) {
      const key = users ? [...users].sort().join() : '*'
      const known = presences.get(key) ?? createPresence(client, ask, users, onError)
      presences.delete(key)
      presences.set(key, known)
      forgetUnwatched()
      return known
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Where a browser refuses it, even to look at `indexedDB` may throw, or gives null. */
const defaultStorage: OpenOutboxStorage = (owner) =>
  ('indexedDB' in globalThis ? indexedDbStorage : memoryStorage)(owner)

/** The oldest of those that nobody looks at, where there are more than are kept. */
const tooMany = <Watched extends { isWatched(): boolean }>(views: Map<string, Watched>): [string, Watched][] =>
  [...views].filter(([, { isWatched }]) => !isWatched()).slice(0, -unwatchedMax)

const targetOf = (messageId: string): Target => ({
  conversationId: messagePlace(messageId).conversationId,
  id: messageId,
  key: messageId,
})
