import type { ChatClient, FeedEvent, Message, OpenOutboxStorage } from '../../client-sdk/src/node.ts'
import type { Sabotage } from './device.ts'

// Faults that an SDK could have. Each of them must be found.

/** The same client, but for these calls. */
const but = (client: ChatClient, calls: Partial<ChatClient>): ChatClient => Object.assign(Object.create(client), calls)

/** A loop that does something else with every so-manieth message, or change of one. */
const loop = (
  every: number,
  change: (event: FeedEvent, before: FeedEvent | undefined) => FeedEvent[],
  type: 'message' | 'messageChanged' = 'message',
): Sabotage => ({
  client(client) {
    let count = 0
    let before: FeedEvent | undefined
    return but(client, {
      async *events(options) {
        for await (const event of client.events(options)) {
          const isIt = event.type === type && ++count % every === 0
          yield* isIt ? change(event, before) : [event]
          if (event.type === type) before = event
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

const older = (event: FeedEvent): FeedEvent =>
  event.type === 'messageChanged'
    ? { ...event, message: { ...event.message, version: event.message.version - 1, text: 'older' } }
    : event

const deafToConflicts: Sabotage = {
  client: (client) =>
    but(client, {
      editMessage: (edit, options) => client.editMessage({ ...edit, revision: edit.revision + 1 }, options),
    }),
}

export const faults: Record<string, Sabotage> = {
  'no dedupe in the feed': loop(9, (event) => [event, event]),
  'a feed that loses messages': loop(9, () => []),
  'a feed that puts an old message behind a new one': loop(9, (event, before) => (before ? [event, before] : [event])),
  'a new name for each attempt to send': newNames,
  'an outbox that takes a message for sent when the connection is lost': lostForSent,
  'an outbox that does not survive its program': forgetful,
  'a feed that loses changes': loop(3, () => [], 'messageChanged'),
  'a feed that gives an older state behind a newer one': loop(3, (event) => [event, older(event)], 'messageChanged'),
  'edits that are made on a text that nobody saw': deafToConflicts,
}
