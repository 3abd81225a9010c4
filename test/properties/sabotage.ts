import type { ChatClient, FeedEvent, Message, OpenOutboxStorage } from '../../client-sdk/src/node.ts'
import type { Sabotage } from './device.ts'

// Faults that an SDK could have. Each of them must be found.

/** The same client, but for these calls. */
const but = (client: ChatClient, calls: Partial<ChatClient>): ChatClient => Object.assign(Object.create(client), calls)

/** A loop that does something else with every so-manieth message. */
const loop = (every: number, change: (event: FeedEvent, before: FeedEvent | undefined) => FeedEvent[]): Sabotage => ({
  client(client) {
    let count = 0
    let before: FeedEvent | undefined
    return but(client, {
      async *events(options) {
        for await (const event of client.events(options)) {
          const isIt = event.type === 'message' && ++count % every === 0
          yield* isIt ? change(event, before) : [event]
          if (event.type === 'message') before = event
        }
      },
    })
  },
})

const newNames: Sabotage = {
  client(client) {
    const named = new Set<string | undefined>()
    return but(client, {
      sendMessage({ clientMessageId, ...draft }, options) {
        const isFirst = !named.has(clientMessageId)
        named.add(clientMessageId)
        return client.sendMessage(isFirst ? { ...draft, clientMessageId } : draft, options)
      },
    })
  },
}

const lostForSent: Sabotage = {
  client: (client) =>
    but(client, {
      sendMessage: (draft, options) =>
        new Promise((resolve, reject) => {
          const nowhere = { conversationId: 'dm:nobody:nowhere' } as Message
          const unlisten = client.onState(({ status }) => status === 'offline' && resolve(nowhere))
          client.sendMessage(draft, options).then(resolve, reject).finally(unlisten)
        }),
    }),
}

const forgetful: Sabotage = {
  storage:
    (open): OpenOutboxStorage =>
    async (owner) => ({ ...(await open(owner)), read: async () => [] }),
}

export const faults: Record<string, Sabotage> = {
  'no dedupe in the feed': loop(9, (event) => [event, event]),
  'a feed that loses messages': loop(9, () => []),
  'a feed that puts an old message behind a new one': loop(9, (event, before) => (before ? [event, before] : [event])),
  'a new name for each attempt to send': newNames,
  'an outbox that takes a message for sent when the connection is lost': lostForSent,
  'an outbox that does not survive its program': forgetful,
}
