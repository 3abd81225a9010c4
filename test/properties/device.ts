import { WebSocket } from 'ws'
import { createClientOn } from '../../client-sdk/src/client.ts'
import {
  type Chat,
  type ChatClient,
  type ConversationView,
  createChat,
  type Message,
  type OpenOutboxStorage,
} from '../../client-sdk/src/node.ts'
import type { RoughNetwork } from '../harness/rough-network.ts'
import type { Findings } from './findings.ts'
import { repeating } from './repeating.ts'
import { list, textOf, watchConversation } from './watch.ts'

/** What makes a correct SDK wrong, to see that it is found. */
export interface Sabotage {
  client?(client: ChatClient): ChatClient
  storage?(storage: OpenOutboxStorage): OpenOutboxStorage
}

export interface DeviceOptions {
  /** Different for each device. */
  name: string
  username: string
  /** The usernames she talks to. */
  peers: string[]
  token: string
  network: RoughNetwork
  /** It outlives the chat. */
  storage: OpenOutboxStorage
  repeatEvery: number
  findings: Findings
  sabotage: Sabotage
}

/** A chat and a loop beside it, on one client; and what must be true of them at all times. */
export const createDevice = (options: DeviceOptions) => {
  const { name, username, peers, token, network, findings, sabotage, repeatEvery } = options
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
  /** What was given to the chat, in order. */
  const accepted: { conversationId: string; text: string }[] = []
  /** What came to the loop, by conversation. */
  const heard = new Map<string, Message[]>()
  let cursor: string | undefined
  /** How far she has read each conversation, as far as she has told this chat, and any. */
  let marked = new Map<string, number>()
  const everMarked = new Map<string, number>()

  const hear = (message: Message) => {
    const { conversationId, seq, text } = message
    const line = heard.get(conversationId) ?? []
    heard.set(conversationId, line)
    line.push(message)
    if (seq !== line.length) findings.found(`The loop of ${name} got «${text}» as number ${line.length}: ${list(line)}`)
  }
  const follow = async (client: ChatClient, signal: AbortSignal) => {
    for await (const event of client.events({ cursor, signal })) {
      cursor = event.cursor || cursor
      if (event.type === 'message') hear(event.message)
      findings.changed()
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
    const chat = createChat(client, { username, storage, onError: findings.fail })
    const views = peers.map((peer) => {
      const view = chat.conversation(peer)
      return { view, look: watchConversation(`${name} with ${peer}`, view, findings) }
    })
    chat.conversations.subscribe(findings.changed)
    chat.outbox.subscribe(findings.changed)
    return { client, chat, views, loop }
  }
  let now = start()
  const read = ({ view }: { view: ConversationView }) => {
    const newest = view.getSnapshot().messages.findLast(({ sender }) => sender !== username)?.seq ?? 0
    view.markRead()
    for (const marks of [marked, everMarked]) marks.set(view.id, Math.max(newest, marks.get(view.id) ?? 0))
  }
  const peer = (index: number) => now.views[index % now.views.length] as (typeof now.views)[number]

  return {
    name,
    username,
    accepted,
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
    send(to: number, count: number) {
      const { view, look } = peer(to)
      for (let i = 0; i < count; i++) {
        const text = textOf(name, accepted.length + 1)
        view.send(text)
        accepted.push({ conversationId: view.id, text })
      }
      look()
    },
    read: (to: number) => read(peer(to)),
    readAll: () => now.views.forEach(read),
    async leaveLoop() {
      await now.loop.leave()
      now.loop = begin(now.client)
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
export type Device = ReturnType<typeof createDevice>
