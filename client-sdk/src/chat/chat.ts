import type { Message, Receipt } from '../../../server/contract/index.ts'
import type { ChatClient } from '../client.ts'
import type { ChatError } from '../errors.ts'
import type { FeedEvent } from '../feed.ts'
import { isPutBack } from '../put-back.ts'
import { conversationAt } from './address.ts'
import { type Conversation, type ConversationView, createConversation } from './conversation.ts'
import { type ConversationsView, createConversations } from './conversations.ts'
import { createIdentity } from './identity.ts'
import { indexedDbStorage } from './indexed-db.ts'
import { createOutbox, type Outbox, type Outgoing } from './outbox.ts'
import { patiently } from './patient.ts'
import { createPresence, type PresenceView } from './presence.ts'
import { createProgress, type Progress } from './progress.ts'
import { createReading } from './reading.ts'
import { memoryStorage, type OpenOutboxStorage } from './storage.ts'

export interface ChatOptions {
  /** Whose chat it is: the outbox sends for nobody else. */
  username: string
  /**
   * Where messages are kept until the server has them. Default: IndexedDB where there is one, else memory; in Node,
   * `fileStorage(path)` of `@parley/client/node`.
   */
  storage?: OpenOutboxStorage
  /** How many messages the outbox holds; more are refused. Default 1,000. */
  outboxMax?: number
  /** After how long what could not be sent fails with `timedOut`, in milliseconds. Default one day. */
  giveUpAfterMs?: number
  /** Told why nothing comes in any more, of messages or of who is online, or why the outbox keeps nothing. */
  onError?(error: ChatError): void
}

/** What a chat application shows, kept true, on one client: it reads, follows, sends and remembers. */
export interface Chat extends AsyncDisposable {
  readonly username: string
  readonly outbox: Outbox
  readonly conversations: ConversationsView
  /** The same view for the same conversation. @param to a username or the id of a conversation */
  conversation(to: string): ConversationView
  /** Shown as `sending` at once, and sent as soon as can be. @throws ChatError `outboxFull` */
  send(message: { to: string; text: string }): Outgoing
  /** @param users all, if left out */
  presence(users?: string[]): PresenceView
  /** For good; the client stays open. Resolves when the outbox is written. What it holds is sent by the next chat. */
  close(): Promise<void>
}

/** What nobody looks at is kept up to this many conversations, and sets of people; older ones are read anew when they are opened. */
const unwatchedMax = 20
const dayMs = 24 * 60 * 60 * 1_000

export const createChat = (client: ChatClient, options: ChatOptions): Chat => {
  const { username, outboxMax = 1_000, giveUpAfterMs = dayMs, onError = () => {} } = options
  const over = new AbortController()
  const { signal } = over
  const opened = new Map<string, Conversation>()
  const progresses = new Map<string, Progress>()
  const presences = new Map<string, ReturnType<typeof createPresence>>()

  const progressOf = (conversationId: string): Progress => {
    const known = progresses.get(conversationId) ?? createProgress(conversationId, username)
    progresses.set(conversationId, known)
    return known
  }
  const identity = createIdentity(client, username, signal)
  const outbox = createOutbox({
    client,
    identity,
    owner: { url: client.url, username },
    openStorage: options.storage ?? (globalThis.indexedDB ? indexedDbStorage : memoryStorage),
    draftsMax: outboxMax,
    giveUpAfterMs,
    onError,
    onSent(message) {
      lookForPutBack(message)
      opened.get(message.conversationId)?.takeSent(message)
    },
    onChange: () => {
      for (const conversation of opened.values()) conversation.changed()
    },
  })
  const conversations = createConversations({
    username,
    client,
    progressOf,
    onProgress: (conversationId) => opened.get(conversationId)?.progressed(),
    signal,
  })
  const reading = createReading(client, () => conversations.refresh(), signal)

  const takeReceipt = (receipt: Pick<Receipt, 'conversationId' | 'username' | 'deliveredSeq' | 'readSeq'>) => {
    const progress = progressOf(receipt.conversationId)
    const isNew = progress.take(receipt)
    if (isNew && progress.counts(receipt.username)) opened.get(receipt.conversationId)?.progressed()
    // Her own place was taken for said when she read; what is unread follows from what the server makes of it.
    if (isNew || receipt.username === username) conversations.takeReceipt(receipt)
  }
  const putBack = (conversationId: string, afterSeq: number) => {
    progressOf(conversationId).putBack()
    opened.get(conversationId)?.putBack(afterSeq)
    conversations.putBack(conversationId)
  }
  /** Views were read from the history too: what they show may be from before, also where no loop has had it. */
  const lookForPutBack = (message: Message) => {
    const { conversationId, seq } = message
    const shown = [opened.get(conversationId)?.last(), conversations.last(conversationId)]
    if (shown.some((last) => last && isPutBack(last, message))) putBack(conversationId, seq - 1)
  }
  const takeMessage = (message: Message) => {
    lookForPutBack(message)
    if (message.sender === username) outbox.confirm(message)
    opened.get(message.conversationId)?.take(message)
    conversations.take(message)
  }
  const take = (event: FeedEvent) => {
    if (event.type === 'message') takeMessage(event.message)
    if (event.type === 'putBack') putBack(event.conversationId, event.afterSeq)
    if (event.type === 'receipt') takeReceipt(event.receipt)
    // Receipts are not replayed for these.
    if (event.type === 'ready' && event.replay === 'reset') refreshReceipts()
  }
  const refreshReceipts = () => conversations.refresh([...opened.values()].some(({ isLoaded }) => isLoaded))

  let cursor: string | undefined
  const follow = async () => {
    await identity.check()
    for await (const event of client.events({ cursor, signal })) {
      take(event)
      // What came after a view was read and before this beginning may be told to nobody: another device can have taken it.
      if (event.type === 'ready' && cursor === undefined) {
        for (const conversation of opened.values()) conversation.refresh()
        refreshReceipts()
      }
      cursor = event.cursor || cursor
    }
  }
  patiently(client, follow, signal).catch((error) => signal.aborted || onError(error))

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
    const unwatched = [...opened.values()].filter(({ isWatched }) => !isWatched)
    for (const conversation of unwatched.slice(0, -unwatchedMax)) conversation.unload()
  }
  const forgetUnwatched = () => {
    const unwatched = Array.from(presences).filter(([, { isWatched }]) => !isWatched)
    for (const [key] of unwatched.slice(0, -unwatchedMax)) presences.delete(key)
  }
  const markRead = (conversationId: string, seq: number) => {
    takeReceipt({ conversationId, username, deliveredSeq: seq, readSeq: seq })
    reading.mark(conversationId, seq)
  }

  return {
    username,
    outbox,
    conversations,
    send: outbox.send,
    conversation(to) {
      const id = conversationAt(username, to)
      const known = opened.get(id)
      opened.delete(id)
      const conversation =
        known ??
        createConversation({
          id,
          username,
          client,
          progress: progressOf(id),
          onArrived: outbox.confirm,
          outgoing: () => outbox.getSnapshot().filter(({ conversationId }) => conversationId === id),
          send: (text) => outbox.send({ to: id, text }),
          markRead: (seq) => markRead(id, seq),
          signal,
        })
      opened.set(id, conversation)
      unloadUnwatched()
      return conversation
    },
    presence(users) {
      const key = users ? [...users].sort().join() : '*'
      const known = presences.get(key) ?? createPresence(client, users, onError, signal)
      presences.delete(key)
      presences.set(key, known)
      forgetUnwatched()
      return known
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
