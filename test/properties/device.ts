import { WebSocket } from 'ws'
import { createClientOn } from '../../client-sdk/src/client.ts'
import {
  type Chat,
  type ChatClient,
  ChatError,
  type ChatMessage,
  type ConversationView,
  createChat,
  type FeedEvent,
  type Message,
  type OpenOutboxStorage,
} from '../../client-sdk/src/node.ts'
import type { RoughNetwork } from '../harness/rough-network.ts'
import { password } from '../harness/world.ts'
import type { Arena } from './arena.ts'
import type { Findings } from './findings.ts'
import { repeating } from './repeating.ts'
import { editedText, list, textOf, watchConversation } from './watch.ts'

/** What makes a correct SDK wrong, to see that it is found. */
export interface Sabotage {
  client?(client: ChatClient): ChatClient
  storage?(storage: OpenOutboxStorage): OpenOutboxStorage
}

export interface DeviceOptions {
  /** Different for each device. */
  name: string
  userId: string
  /** She has another device, or tab, that may change the same message at the same time. */
  isOneOfSeveral: boolean
  /** By key, messages that were deleted before they were known to be sent: nobody can say whether they were. */
  takenBack: Set<string>
  /** The userIds she talks to. */
  peers: string[]
  token: string
  network: RoughNetwork
  /** It outlives the chat. */
  storage: OpenOutboxStorage
  repeatEvery: number
  arena: Arena
  /** Null as long as nothing was lost by the server itself. */
  restored(): Date | null
  findings: Findings
  sabotage: Sabotage
}

/** A chat and a loop beside it, on one client; and what must be true of them at all times. */
export const createDevice = (options: DeviceOptions) => {
  const { name, userId, isOneOfSeveral, peers, network, takenBack, findings, sabotage, repeatEvery, arena, restored } =
    options
  let { token } = options
  /** The outbox shows what was stored. */
  let isRead = false
  const storage: OpenOutboxStorage = async (owner) => {
    const opened = await (sabotage.storage?.(options.storage) ?? options.storage)(owner)
    const read = async () => {
      const drafts = await opened.read()
      setImmediate(() => {
        isRead = true
        findings.changed()
      })
      return drafts
    }
    return { ...opened, read }
  }
  /** What was given to the chat, in order, by its name. */
  const accepted: { conversationId: string; key: string; text: string }[] = []
  /** The last text that was given to each message, by its key; null: it was deleted. */
  const lastTexts = new Map<string, string | null>()
  let edits = 0
  /** What came to the loop, by conversation, in its latest state. */
  const heard = new Map<string, Message[]>()
  /** The names of all messages that ever came to the loop. */
  const heardNames = new Set<string | null>()
  /** It had to begin without a cursor, as the server does not know the one it had. */
  let anew: Date | null = null
  let cursor: string | undefined
  /** How far she has read each conversation, as far as she has told this chat, and any. */
  let marked = new Map<string, number>()
  const everMarked = new Map<string, number>()

  /** What the server lost, or a loop that had to begin anew, did not come in the order of its numbers. */
  const isExcused = () => restored() !== null || anew !== null
  const hear = (message: Message) => {
    const { conversationId, seq, text } = message
    const line = heard.get(conversationId) ?? []
    heard.set(conversationId, line)
    line.push(message)
    heardNames.add(message.clientMessageId)
    if (!isExcused() && seq !== line.length)
      findings.found(`The loop of ${name} got «${text}» as number ${line.length}: ${list(line)}`)
  }
  /** @param states the versions that this loop has given, by id */
  const hearChange = (message: Message, states: Map<string, number>) => {
    const { id, conversationId, seq, version } = message
    const line = heard.get(conversationId) ?? []
    const known = line[seq - 1]
    const isNew = version > (states.get(id) ?? 0) && version >= (known?.version ?? Number.POSITIVE_INFINITY)
    if (!isNew && !isExcused()) {
      findings.found(
        `The loop of ${name} got ${id} changed at ${version}, and had it at ${known?.version}: ${list(line)}`,
      )
    }
    line[seq - 1] = message
  }
  const hearEvent = (event: FeedEvent, states: Map<string, number>) => {
    if (event.type === 'message') hear(event.message)
    if (event.type === 'messageChanged') hearChange(event.message, states)
    if (event.type === 'message' || event.type === 'messageChanged') states.set(event.message.id, event.message.version)
  }
  const follow = async (client: ChatClient, signal: AbortSignal) => {
    const states = new Map<string, number>()
    try {
      for await (const event of client.events({ cursor, signal })) {
        cursor = event.cursor || cursor
        hearEvent(event, states)
        findings.changed()
      }
    } catch (error) {
      const isOutdated = error instanceof ChatError && error.kind === 'badCursor'
      if (!isOutdated || !(arena.clockWasSet() || restored())) throw error
      anew = new Date()
      cursor = undefined
      await follow(client, signal)
    }
  }

  const begin = (client: ChatClient) => {
    const left = new AbortController()
    const over = follow(client, left.signal).catch(findings.fail)
    return {
      over,
      leave() {
        left.abort()
        return over
      },
    }
  }

  const start = () => {
    const makeSocket = (url: string) => repeating(new WebSocket(url), repeatEvery)
    const own = createClientOn(makeSocket, { url: network.url, token })
    const client = sabotage.client?.(own) ?? own
    const loop = begin(client)
    const chat = createChat(client, { userId, storage, onError: findings.fail })
    const views = peers.map((peer) => {
      const view = chat.conversation(peer)
      const options = { takenBack, findings, isRestored: () => restored() !== null }
      return { view, look: watchConversation(`${name} with ${peer}`, view, options) }
    })
    chat.conversations.subscribe(findings.changed)
    chat.outbox.subscribe(() => {
      giveWay(chat)
      findings.changed()
    })
    return { client, chat, views, loop }
  }
  /** What another device of hers was faster with is not insisted on. */
  const giveWay = (chat: Chat) => {
    for (const { clientMessageId, type, error } of chat.outbox.getSnapshot()) {
      if (!error || type === 'send') continue
      // Its message is gone.
      if (restored() && error.kind === 'unknownMessage') {
        chat.outbox.cancel(clientMessageId)
        continue
      }
      const isOvertaken = isOneOfSeveral && (error.kind === 'conflict' || error.kind === 'messageDeleted')
      if (isOvertaken) chat.outbox.cancel(clientMessageId)
      else findings.found(`${name} could not ${type}: ${error.kind}`)
    }
  }
  let now = start()
  const read = ({ view }: { view: ConversationView }) => {
    const newest = view.getSnapshot().messages.findLast(({ sender }) => sender !== userId)?.seq ?? 0
    view.markRead()
    for (const marks of [marked, everMarked]) marks.set(view.id, Math.max(newest, marks.get(view.id) ?? 0))
  }
  /** An own message that is shown and not deleted, counted back from the newest. */
  const ownMessage = (view: ConversationView, which: number): ChatMessage | undefined => {
    const own = view.getSnapshot().messages.filter(({ sender, deletedAt }) => sender === userId && !deletedAt)
    return own.at(-1 - (which % Math.max(1, own.length)))
  }
  const peer = (index: number) => now.views[index % now.views.length] as (typeof now.views)[number]

  return {
    name,
    userId,
    accepted,
    isExcused,
    /** What was sent before need not have come to the loop. */
    excusedUntil: () => new Date(Math.max(Number(restored()), Number(anew))),
    heardNames,
    heard: (conversationId: string) => heard.get(conversationId) ?? [],
    network,
    get client() {
      return now.client
    },
    get chat(): Chat {
      return now.chat
    },
    get views() {
      return now.views.map(({ view }) => view)
    },
    /** Its loop has begun: from here on it knows where it is. */
    isAllSent: () => isRead && now.chat.outbox.getSnapshot().length === 0,
    isFollowing: () => cursor !== undefined,
    marked: (conversationId: string) => marked.get(conversationId) ?? 0,
    everMarked: (conversationId: string) => everMarked.get(conversationId) ?? 0,
    describe: () => `${name} (${JSON.stringify(now.client.state)}) ${JSON.stringify(now.chat.outbox.getSnapshot())}`,
    send(to: number, count: number, isLong: boolean) {
      const { view, look } = peer(to)
      for (let i = 0; i < count; i++) {
        const text = textOf(name, accepted.length + 1, isLong)
        const { clientMessageId } = view.send(text)
        accepted.push({ conversationId: view.id, key: clientMessageId, text })
      }
      look()
    },
    edit(to: number, which: number) {
      const { view, look } = peer(to)
      const message = ownMessage(view, which)
      if (!message) return
      const text = editedText(message.text, `${name}-${++edits}`)
      view.edit(message.key, text).saved.catch(() => {})
      lastTexts.set(message.key, text)
      look()
    },
    delete(to: number, which: number) {
      const { view, look } = peer(to)
      const message = ownMessage(view, which)
      if (!message) return
      const { saved, outboxId } = view.delete(message.key)
      saved.catch(() => {})
      lastTexts.set(message.key, null)
      // Without a deletion of its own in the outbox it was taken back.
      if (outboxId === message.key) takenBack.add(message.key)
      look()
    },
    takenBack,
    /** What she has made of each message, where nobody else can have. */
    lastTexts: (): ReadonlyMap<string, string | null> => (isOneOfSeveral ? new Map() : lastTexts),
    read: (to: number) => read(peer(to)),
    readAll: () => now.views.forEach(read),
    async leaveLoop() {
      await now.loop.leave()
      now.loop = begin(now.client)
    },
    async changeUser() {
      const { client, chat } = now
      await now.loop.leave()
      network.heal()
      await untilDone(() => client.logout())
      const guest = await arena.signUp('guest', 0)
      await untilDone(() => client.login({ username: guest.userId, password }))
      const { conversations } = await client.conversations(undefined, { timeoutMs: 300_000 })
      const shown = chat.outbox.getSnapshot().filter(({ type, error }) => type === 'send' && error)
      if (conversations.length > 0 || shown.length > 0) findings.found(`${name} sent as ${guest.userId}`)
      await untilDone(() => client.logout())
      await untilDone(async () => {
        token = (await client.login({ username: userId, password })).session.token
      })
      now.loop = begin(client)
    },
    async reopen(clientFirst: boolean) {
      await end(clientFirst)
      isRead = false
      marked = new Map()
      now = start()
    },
    end,
  }

  async function end(clientFirst: boolean) {
    for (const { look } of now.views) look.stop()
    if (clientFirst) now.client.close()
    await now.chat.close()
    now.client.close()
    // What it has been given counts: the next loop goes on behind it.
    await now.loop.over
  }
}
/** Whatever the network does meanwhile. */
const untilDone = async (work: () => Promise<unknown>) => {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      // An attempt before this one may have succeeded.
      if (error instanceof ChatError && (error.kind === 'sessionEnded' || error.kind === 'notSignedIn')) return
      if (!(error instanceof ChatError && error.retryable)) throw error
    }
  }
}

export type Device = ReturnType<typeof createDevice>
