import { expect, test } from 'vitest'
import { type ClientState, createChat, createClient, type FeedEvent } from '../../client-sdk/src/node.ts'
import { createInbox } from '../harness/plain-client.ts'
import { type ScriptedServer, startScriptedServer } from '../harness/scripted-server.ts'
import { shows } from '../harness/views.ts'

// An installed client meets a newer server: it passes over the kinds, fields and values that it does not know, and goes on.

/** A field of a type that this client has no word for. */
const future = { mood: 'sunny', votes: 12n, tags: new Set(['a']), nested: { at: new Date(0) } }
const ada = { userId: 'ada', displayName: 'Ada', version: 1, createdAt: new Date(0), ...future }
const bob = { userId: 'bob', displayName: 'Bob', version: 1, ...future }
const message = (seq: number, more: object = {}) => ({
  id: `dm:ada:bob:${seq}`,
  conversationId: 'dm:ada:bob',
  seq,
  version: seq * 10,
  sender: 'bob',
  kind: 'poll',
  text: `${seq}`,
  revision: 1,
  sentAt: new Date(seq),
  editedAt: null,
  deletedAt: null,
  clientMessageId: null,
  delivered: false,
  read: false,
  ...future,
  ...more,
})
const changed = (seq: number) =>
  message(seq, { version: seq * 10 + 5, text: 'edited', revision: 2, editedAt: new Date(9) })

const answers = {
  me: () => ada,
  markDelivered: () => [],
  history: () => ({
    conversationId: 'dm:ada:bob',
    messages: [message(1), message(2)],
    people: [ada, bob],
    nextBefore: null,
    nextAfter: null,
    pinned: [message(1)],
    ...future,
  }),
  conversations: () => ({
    conversations: [
      {
        id: 'dm:ada:bob',
        kind: 'channel',
        members: [ada, bob],
        lastMessage: message(2),
        unread: 2,
        receipts: [{ conversationId: 'dm:ada:bob', userId: 'ada', deliveredSeq: 0, readSeq: 0, version: 1, ...future }],
        can: ['post'],
        ...future,
      },
    ],
    nextCursor: null,
    ...future,
  }),
}

/** All that this client knows, among what it does not. */
const tellAll = async (server: ScriptedServer) => {
  const feed = await server.subscribed('onMessage')
  const say = (frame: object) => server.say({ id: feed.id, ...frame })
  server.tell(feed, 'v1', { type: 'welcome', ...future })
  server.tell(feed, 'v2', { type: 'ready', replay: 'complete', ...future })
  server.tell(feed, 'v3', { type: 'reaction', conversationId: 'dm:ada:bob', reaction: future })
  server.tell(feed, 'v10', { type: 'message', message: message(1), ...future })
  server.say({ method: 'notice', text: 'A better client is there', ...future, votes: 12, tags: [] })
  server.say({ id: 4_711, result: { type: 'data', data: { json: 'for nobody' } } })
  say({ result: { type: 'paused' } })
  say({ result: { type: 'data', data: { json: { type: 'untracked' } } } })
  server.tell(feed, 'v15', { type: 'messageChanged', message: changed(1) })
  server.tell(feed, 'v16', null)
  server.tell(feed, 'v17', {
    type: 'receipt',
    receipt: { conversationId: 'dm:ada:bob', userId: 'bob', deliveredSeq: 1, readSeq: 1, version: 17, ...future },
  })
  server.tell(feed, 'v18', { type: 'user', user: { ...bob, displayName: 'Robert', version: 18 } })
  server.tell(feed, 'v20', { type: 'message', message: message(2) })
  server.tell(feed, 'v21', { type: 'caughtUp', ...future })
  server.tell(feed, 'v22', { type: 'member', member: future })
}

test('[P2] [P5] the loop gives all that it knows, once, and passes over what it does not know', async () => {
  await using server = await startScriptedServer(answers)
  await using client = createClient({ url: server.url, token: 'a token' })
  const states = createInbox<ClientState['status']>()
  client.onState(({ status }) => states.add(status))
  const events = createInbox<FeedEvent>()
  const follow = async () => {
    for await (const event of client.events()) events.add(event)
  }
  follow().catch(events.fail)
  await tellAll(server)
  await events.until(() => events.items.some(({ type }) => type === 'caughtUp'))
  expect(events.items.map(({ type }) => type)).toEqual([
    'ready',
    'message',
    'messageChanged',
    'receipt',
    'user',
    'message',
    'caughtUp',
  ])
  expect(events.items[1]).toMatchObject({
    message: { text: '1', kind: 'poll', mood: 'sunny', nested: { at: new Date(0) } },
  })
  expect(events.items[2]).toMatchObject({ message: { text: 'edited', revision: 2 } })
  expect(server.connections()).toBe(1)
  expect(states.items).not.toContain('offline')

  // What it does not know has a place all the same, so that it is not told of it again.
  await states.until(() => states.items.at(-1) === 'live')
  server.cut()
  expect((await server.subscribed('onMessage', 2)).lastEventId).toBe('v22')
  await tellAll(server)
  const again = await server.subscribed('onMessage', 2)
  server.tell(again, 'v30', { type: 'message', message: message(3) })
  await events.until(() => events.items.some((event) => event.type === 'message' && event.message.seq === 3))
  expect(events.items.flatMap((event) => (event.type === 'message' ? [event.message.seq] : []))).toEqual([1, 2, 3])
  expect(events.items.filter(({ type }) => type === 'messageChanged')).toHaveLength(1)
})

test('views show what they know of a newer server', async () => {
  await using server = await startScriptedServer(answers)
  await using client = createClient({ url: server.url, token: 'a token' })
  await using chat = createChat(client, { userId: 'ada' })
  const view = chat.conversation('bob')
  const presence = chat.presence()
  presence.subscribe(() => {})
  await tellAll(server)
  const { messages, people } = await shows(
    view,
    ({ messages }) => messages[0]?.text === 'edited' && messages.length === 2,
  )
  expect(messages).toMatchObject([{ status: 'received', editedAt: new Date(9) }, { text: '2' }])
  await shows(view, ({ messages }) => messages.every(({ senderName }) => senderName === 'Robert'))
  expect(people.map(({ userId }) => userId)).toEqual(['ada', 'bob'])
  const { conversations } = await shows(chat.conversations, ({ isLoading }) => !isLoading)
  expect(conversations).toMatchObject([{ kind: 'channel', unread: 2, lastMessage: { text: '2' } }])

  const statuses = await server.subscribed('onStatus')
  const tell = (event: unknown) => server.say({ id: statuses.id, result: { type: 'data', data: { json: event } } })
  tell({ type: 'typing', userId: 'bob' })
  tell({
    type: 'snapshot',
    statuses: [{ userId: 'bob', displayName: 'Bob', status: 'away', lastSeenAt: null }],
    more: false,
  })
  tell({ type: 'away', statuses: 'unknown' })
  await shows(presence, (all) => String(all.get('bob')?.status) === 'away')
  expect(server.connections()).toBe(1)
})

test('an error of a kind that is not known keeps its words, whether a repeat helps, and when', async () => {
  const data = { kind: 'poolIsClosed', retryable: true, retryAfterMs: 250, lifeguard: 'Bo', code: 'IM_A_TEAPOT' }
  await using server = await startScriptedServer({
    ...answers,
    sendMessage: () => new Error('The pool is closed.', { cause: data }),
    markRead: () => new Error('Never.', { cause: { ...data, kind: 'toString', retryable: false } }),
  })
  await using client = createClient({ url: server.url, token: 'a token' })
  await expect(client.sendMessage({ to: 'bob', text: 'Hello' })).rejects.toMatchObject({
    name: 'ChatError',
    kind: 'internal',
    message: 'The pool is closed.',
    retryable: true,
    retryAfterMs: 250,
  })
  await expect(client.markRead({ messageId: 'dm:ada:bob:1' })).rejects.toMatchObject({
    kind: 'internal',
    retryable: false,
  })
  expect(server.connections()).toBe(1)
})
