import type { ChatClient } from '../client.ts'
import { withinLimits } from '../connection/retry.ts'
import { type Command, type Invocation, wholeNumber } from './command.ts'
import { withSession } from './server.ts'

interface Page {
  items: object[]
  nextCursor: string | null
}

/** Prints what all pages hold, or its first `--limit`. */
const printPages = async (
  call: Invocation,
  read: (client: ChatClient, place: { cursor?: string }) => Promise<Page>,
): Promise<void> => {
  const limit = wholeNumber(call.values, 'limit', 1) ?? Number.POSITIVE_INFINITY
  await withSession(call, async (client) => {
    let printed = 0
    let cursor: string | null = null
    do {
      const place = cursor === null ? {} : { cursor }
      const page: Page = await withinLimits(() => read(client, place))
      for (const item of page.items) {
        if (printed++ === limit) return
        await call.output.print(item)
      }
      cursor = page.nextCursor
    } while (cursor !== null && printed < limit)
  })
}

const limit = { value: 'N', help: 'at most so many; otherwise all' }

export const online: Command = {
  summary: 'print who is online',
  words: [],
  options: { limit },
  help: `Prints each user who is online (userId, displayName), by user id, and since when. You are among them: this command connects
as you.`,
  examples: ['parley online | jq -r .userId'],
  run: (call) =>
    printPages(call, async (client, place) => {
      const { users, nextCursor } = await client.onlineUsers({ limit: 500, ...place })
      return { items: users, nextCursor }
    }),
}

export const conversations: Command = {
  summary: 'print your conversations',
  words: [],
  options: { limit },
  help: `Prints each conversation with its members (userId, displayName), its last message, your unread count and the receipts; the
one with the newest message first.`,
  examples: [`parley conversations | jq -r 'select(.unread > 0) | "\\(.id) \\(.unread)"'`],
  run: (call) =>
    printPages(call, async (client, place) => {
      const { conversations, nextCursor } = await client.conversations({ limit: 100, ...place })
      return { items: conversations, nextCursor }
    }),
}
