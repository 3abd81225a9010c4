import { createChat, createClient } from '../../client-sdk/src/node.ts'
import { password } from '../harness/world.ts'
import type { History, Seen } from './checker.ts'

/** Somebody at a device of hers: the SDK's chat, which sends, and a loop beside it, which shows. */
export interface Participant {
  userId: string
  /** Queued now, and sent when it can be. @returns once it is acknowledged, or has failed */
  send(to: string): Promise<void>
  isAllSent(): boolean
  /** Who is online, from here on, into the history. @returns whether she sees this user so */
  watch(): (user: string, online: boolean) => boolean
  /** All of a conversation, from the server. */
  read(conversation: string): Promise<Seen[]>
  close(): Promise<void>
}

const now = () => performance.now()

/** @param fail told of what must not happen to a correct client */
export const join = async (
  url: string,
  userId: string,
  history: History,
  fail: (cause: unknown) => void,
): Promise<Participant> => {
  const client = createClient({ url })
  await client.register({ username: userId, password })
  const chat = createChat(client, { userId, onError: fail })
  const shown: NonNullable<ReturnType<History['shown']['get']>> = []
  history.shown.set(userId, shown)
  let count = 0

  const follow = async () => {
    for await (const event of client.events()) {
      if (event.type === 'message') shown.push({ ...event.message, at: now() })
    }
  }
  follow().catch(fail)

  return {
    userId,
    async send(to) {
      const text = `${userId} ${++count}`
      const sending = chat.send({ to, text })
      const conversationId = chat.conversation(to).id
      const sent: History['sent'][number] = { conversationId, sender: userId, text, at: now(), acknowledged: null }
      history.sent.push(sent)
      const { id, seq } = await sending.sent
      sent.acknowledged = { at: now(), id, seq }
    },
    isAllSent: () => chat.outbox.getSnapshot().length === 0,
    watch() {
      const view = chat.presence()
      let before = new Set<string>()
      view.subscribe(() => {
        const online = new Set(
          [...view.getSnapshot().values()].flatMap(({ userId, status }) => (status === 'online' ? [userId] : [])),
        )
        const changed = [...online, ...before].filter((user) => online.has(user) !== before.has(user))
        for (const user of changed)
          history.sightings.push({ watcher: userId, user, online: online.has(user), at: now() })
        before = online
      })
      return (user, online) => before.has(user) === online
    },
    async read(conversation) {
      const messages: Seen[] = []
      for (let after: number | null = 0; after !== null; ) {
        const page = await client.history({ conversation, after, limit: 100 })
        messages.push(...page.messages)
        after = page.nextAfter
      }
      return messages
    },
    async close() {
      await chat.close()
      client.close()
    },
  }
}
