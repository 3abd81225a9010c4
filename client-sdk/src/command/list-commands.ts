import { type Command, type Invocation, wholeNumber } from './command.ts'
import { withSession } from './server.ts'

interface Page {
  items: object[]
  nextCursor: string | null
}

/** Prints what all pages hold, or its first `--limit`. */
const printPages = async ({ values, output }: Invocation, read: (cursor: string | undefined) => Promise<Page>) => {
  const limit = wholeNumber(values, 'limit') ?? Number.POSITIVE_INFINITY
  let printed = 0
  let cursor: string | undefined
  do {
    const { items, nextCursor } = await read(cursor)
    for (const item of items) {
      if (printed++ === limit) return
      await output.print(item)
    }
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined && printed < limit)
}

const limit = { value: 'N', help: 'at most so many; otherwise all' }

export const online: Command = {
  summary: 'print who is online',
  words: [],
  options: { limit },
  help: 'Prints each user who is online, by username, and since when. You are among them: this command connects as you.',
  examples: ['parley online | jq -r .username'],
  run: (call) =>
    withSession(call, (client) =>
      printPages(call, async (cursor) => {
        const { users, nextCursor } = await client.onlineUsers({ limit: 500, ...(cursor !== undefined && { cursor }) })
        return { items: users, nextCursor }
      }),
    ),
}

export const conversations: Command = {
  summary: 'print your conversations',
  words: [],
  options: { limit },
  help: 'Prints each conversation with its last message, your unread count and the receipts; the newest message first.',
  examples: [`parley conversations | jq -r 'select(.unread > 0) | "\\(.id) \\(.unread)"'`],
  run: (call) =>
    withSession(call, (client) =>
      printPages(call, async (cursor) => {
        const page = await client.conversations({ limit: 100, ...(cursor !== undefined && { cursor }) })
        return { items: page.conversations, nextCursor: page.nextCursor }
      }),
    ),
}
