import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileStorage } from '../../client-sdk/src/chat/outbox/file-storage.ts'
import type { Message, OpenOutboxStorage } from '../../client-sdk/src/node.ts'
import { ChatError } from '../../server/contract/index.ts'
import { chatOf, never } from '../harness/chat.ts'
import { temporaryDirectory } from '../harness/directory.ts'
import { createInbox } from '../harness/plain-client.ts'
import { shows } from '../harness/views.ts'
import { type Person, startWorld, type World } from '../harness/world.ts'

// What a page shows: conversations, what is unread, who is online; the same object until it changes.

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`)
const sendMany = async (world: World, from: Person, to: string, texts: string[]) => {
  const plain = world.plain(from.token)
  for (const text of texts) await plain.api.sendMessage.mutate({ to, text })
}

describe.concurrent('a conversation', () => {
  test('[P3] shows the newest page, what comes in, and older pages when they are asked for', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await sendMany(world, bob, 'ada', numbers(1, 120))
    await using chat = chatOf(ada)
    const view = chat.conversation('bob')
    expect(chat.conversation('dm:ada:bob')).toBe(view)
    const first = await shows(view, ({ loading, messages }) => loading === null && messages.length > 0)
    expect(first.messages.map(({ text }) => text)).toEqual(numbers(71, 120))
    expect(first).toMatchObject({ id: 'dm:ada:bob', hasOlder: true, error: null })
    expect(view.getSnapshot()).toBe(first)
    await bob.send('ada', '121')
    await shows(view, ({ messages }) => messages.at(-1)?.text === '121')
    await Promise.all([view.loadOlder(), view.loadOlder()])
    expect(view.getSnapshot().messages.map(({ text }) => text)).toEqual(numbers(21, 121))
    await view.loadOlder()
    const whole = view.getSnapshot()
    expect(whole.messages.map(({ seq }) => seq)).toEqual(numbers(1, 121).map(Number))
    expect(whole).toMatchObject({ hasOlder: false, loading: null })
    expect(new Set(whole.messages.map(({ key }) => key)).size).toBe(121)
    expect(whole.messages.every(({ status }) => status === 'received')).toBe(true)
  })

  test('who waits for older messages may give up; they come all the same', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await sendMany(world, bob, 'ada', numbers(1, 60))
    await using chat = chatOf(ada)
    const view = chat.conversation('bob')
    await shows(view, ({ messages }) => messages.length === 50)
    const over = new AbortController()
    const waits = [
      view.loadOlder({ signal: over.signal }),
      chat.conversations.loadMore({ signal: over.signal }),
      view.loadOlder({ signal: AbortSignal.abort('before') }),
    ]
    over.abort('enough')
    const settled = await Promise.allSettled(waits)
    expect(settled.map((each) => 'reason' in each && each.reason)).toEqual(['enough', 'enough', 'before'])
    await shows(view, ({ messages }) => messages.length === 60)
  })

  test('[P6] what is read late from the history takes no message back to an older state', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    for (const { client } of [ada, bob]) client.close()
    await world.plain(ada.token).api.sendMessage.mutate({ to: 'bob', text: 'one' })
    const [isRead, mayGoOn, mayFollow] = [createInbox<true>(), createInbox<true>(), createInbox<true>()]
    const isTold = createInbox<true>()
    const once = (inbox: typeof isRead) => inbox.until(() => inbox.items.length > 0)
    await using chat = chatOf(ada, {
      calls: (client) => ({
        async history(input, options) {
          const page = await client.history(input, options)
          isRead.add(true)
          await once(mayGoOn)
          return page
        },
        // They would tell of receipts.
        conversations: never,
        async *events(options) {
          await once(mayFollow)
          for await (const event of client.events(options)) {
            yield event
            if (event.type === 'message') isTold.add(true)
          }
        },
      }),
    })
    const view = chat.conversation('bob')
    const statuses: string[] = []
    view.subscribe(() => statuses.push(...view.getSnapshot().messages.map(({ status }) => status)))
    await once(isRead)
    const phone = await world.device('bob')
    await phone.received(1)
    const { api } = world.plain(ada.token)
    while (!(await api.history.query({ conversation: 'bob' })).messages[0]?.delivered);
    mayFollow.add(true)
    await once(isTold)
    mayGoOn.add(true)
    await shows(view, ({ loading }) => loading === null)
    expect(new Set(statuses)).toEqual(new Set(['delivered']))
  })

  test('why a conversation cannot be read stays said, also to who asks for more of it', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    await using chat = chatOf(ada)
    const view = chat.conversation('nobody-here')
    view.subscribe(() => {})
    await view.loadOlder()
    expect(view.getSnapshot()).toMatchObject({ loading: null, error: { kind: 'unknownUser' } })
    await view.loadOlder()
    expect(view.getSnapshot()).toMatchObject({ loading: null, error: { kind: 'unknownUser' } })
  })

  test('what the server has lost is not asked for again and again', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    let asked = 0
    await using chat = chatOf(ada, {
      calls: (client) => ({
        async history(input, options) {
          asked++
          const page = await client.history(input, options)
          return { ...page, messages: page.messages.filter(({ seq }) => seq !== 2) }
        },
        async *events(options) {
          for await (const event of client.events(options)) {
            if (event.type !== 'message' || event.message.seq !== 2) yield event
          }
        },
      }),
    })
    await bob.send('ada', 'one')
    const view = chat.conversation('bob')
    await shows(view, ({ messages }) => messages.length === 1)
    await bob.send('ada', 'two', 'three')
    const { messages } = await shows(view, ({ messages }) => messages.length === 2)
    expect(messages.map(({ text }) => text)).toEqual(['one', 'three'])
    expect(asked).toBeLessThan(10)
  })

  test('[P3] [P5] stays dense and in order through cuts and more than is replayed', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await using chat = chatOf(ada)
    const view = chat.conversation('bob')
    await shows(view, ({ loading }) => loading === null)
    await bob.send('ada', '1')
    await shows(view, ({ messages }) => messages.length === 1)
    ada.network.cut()
    view.send('mine')
    await Promise.all(
      Array.from({ length: 16 }, async (_, lane) => {
        const plain = world.plain(bob.token)
        for (let i = 0; i < 70; i++) await plain.api.sendMessage.mutate({ to: 'ada', text: `${lane} ${i}` })
      }),
    )
    ada.network.restore()
    const { messages } = await shows(
      view,
      ({ messages }) => messages.filter(({ seq }) => seq !== null).length === 1_122,
    )
    expect(messages.map(({ seq }) => seq)).toEqual(numbers(1, 1_122).map(Number))
    expect(messages.filter(({ text }) => text === 'mine')).toMatchObject([{ sender: 'ada' }])
  })

  test('[P2] what arrived while its answer did not is shown once by the next program', async () => {
    await using world = await startWorld()
    await using directory = await temporaryDirectory()
    const storage = fileStorage(join(directory.path, 'outbox'))
    const [ada, bob] = await world.people('ada', 'bob')
    const first = chatOf(ada, { storage })
    await first.send({ to: 'bob', text: 'one' }).sent
    ada.network.mute()
    const unheard = first.send({ to: 'bob', text: 'two' })
    expect(await bob.received(2)).toEqual(['one', 'two'])
    await first[Symbol.asyncDispose]()

    const removed = createInbox<string>()
    const watched: OpenOutboxStorage = async (owner) => {
      const opened = await storage(owner)
      const remove = (name: string, message: Message | null) =>
        opened.remove(name, message).then(() => removed.add(name))
      return { ...opened, remove }
    }
    // Neither by an answer nor by the feed: only the history says that it has arrived.
    const calls = () => ({ sendMessage: never, events: neverAny })
    await using second = chatOf(ada, { storage: watched, calls })
    const view = second.conversation('bob')
    const shown = new Set<string>()
    view.subscribe(() => shown.add(String(view.getSnapshot().messages.map(({ text }) => text))))
    await removed.until(() => removed.items.length === 1)
    await shows(view, ({ messages }) => messages.length === 2)
    expect(removed.items).toEqual([unheard.clientMessageId])
    expect(second.outbox.getSnapshot()).toEqual([])
    expect([...shown]).not.toContain('one,two,two')
  })

  test('[P2] [P6] it misses nothing that came, or was read, between its reading and the beginning of the feed', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await ada.send('bob', 'one')
    const begin = createInbox<true>()
    await using chat = chatOf(ada, {
      calls: ({ events }) => ({
        async *events(options) {
          await begin.until(() => begin.items.length > 0)
          yield* events(options)
        },
      }),
    })
    const view = chat.conversation('bob')
    await shows(view, ({ messages }) => messages.length === 1)

    // Her other device takes it, so that the feed of this one begins behind it.
    await bob.send('ada', 'two')
    await ada.received(1)
    await using atBob = chatOf(bob)
    await shows(atBob.conversation('ada'), ({ messages }) => messages[1]?.status === 'delivered')
    await bob.client.markRead({ messageId: 'dm:ada:bob:1' })
    begin.add(true)
    await shows(view, ({ messages }) => messages[0]?.status === 'read' && messages[1]?.text === 'two')
  })

  test('[P6] all before a message that was read is shown as read, though its acknowledgement said so before the receipt', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const begin = createInbox<true>()
    await using chat = chatOf(ada, {
      calls: (client) => ({
        async *events(options) {
          await begin.until(() => begin.items.length > 0)
          yield* client.events(options)
        },
        async sendMessage(draft, options) {
          const { id } = await client.sendMessage(draft, options)
          if (draft.text === 'two') await bob.client.markRead({ messageId: id })
          return client.sendMessage(draft, options)
        },
      }),
    })
    const view = chat.conversation('bob')
    await shows(view, ({ loading }) => loading === null)
    await view.send('one').sent
    await view.send('two').sent
    const [one, two] = view.getSnapshot().messages
    expect(one?.status).not.toBe('read')
    expect(two?.status).toBe('read')
    begin.add(true)
    await shows(view, ({ messages }) => messages.every(({ status }) => status === 'read'))
  })

  test('says why it cannot be read', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    await using chat = chatOf(ada)
    expect(await shows(chat.conversation('zoe'), ({ error }) => error !== null)).toMatchObject({
      messages: [],
      loading: null,
      error: { kind: 'unknownUser' },
    })
    expect(await shows(chat.conversation('dm:bob:cyd'), ({ error }) => error !== null)).toMatchObject({
      error: { kind: 'notMember' },
    })
  })

  test('notes to oneself are delivered once a device of hers has them', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    await using chat = chatOf(ada)
    const view = chat.conversation('ada')
    await view.send('remember').sent
    await shows(view, ({ messages }) => messages[0]?.status === 'delivered')
  })
})

test('what nobody has read yet is no empty list', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  await using chat = chatOf(ada)
  expect(chat.conversation('ada').getSnapshot()).toMatchObject({ messages: [], loading: 'newest' })
  expect(chat.conversations.getSnapshot()).toMatchObject({ conversations: [], isLoading: true })
  expect(await shows(chat.conversation('ada'), ({ loading }) => loading === null)).toMatchObject({ messages: [] })
  expect(await shows(chat.conversations, ({ isLoading }) => !isLoading)).toMatchObject({ conversations: [] })
})

test('[P7] presence is followed while somebody looks', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  await using chat = chatOf(ada)
  const view = chat.presence(['bob', 'cyd'])
  expect(chat.presence(['cyd', 'bob'])).toBe(view)
  await shows(view, (statuses) => statuses.get('bob')?.status === 'online')
  await world.people('cyd')
  await shows(view, (statuses) => statuses.get('cyd')?.status === 'online')
  bob.client.close()
  await shows(view, (statuses) => statuses.get('bob')?.status === 'offline')
  expect(view.getSnapshot().get('ada')).toBe(undefined)
})

test('the past is a loop, the newest first, which waits out limits', async () => {
  let calls = 0
  await using world = await startWorld({
    adapt: (ports) => ({
      ...ports,
      rates: {
        ...ports.rates,
        takeNow(rule, key) {
          if (rule.name === 'call' && key === 'ada' && ++calls % 2 === 0)
            throw new ChatError('rateLimited', { retryAfterMs: 10 })
        },
      },
    }),
  })
  const [ada, bob] = await world.people('ada', 'bob')
  await sendMany(world, bob, 'ada', numbers(1, 230))
  const texts: string[] = []
  for await (const { text } of ada.client.pastMessages({ conversation: 'bob' })) texts.push(text)
  expect(texts).toEqual(numbers(1, 230).reverse())
  for await (const { text } of ada.client.pastMessages({ conversation: 'bob', before: 11 })) {
    expect(text).toBe('10')
    break
  }
  await expect(ada.client.pastMessages({ conversation: 'zoe' }).next()).rejects.toMatchObject({ kind: 'unknownUser' })
})

async function* neverAny() {
  yield await never()
}

test('views of people that nobody looks at are let go, however many sets of people were asked for', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada', 'bob')
  await using chat = chatOf(ada)
  const watched = chat.presence(['bob'])
  watched.subscribe(() => {})
  const unwatched = chat.presence(['cyd'])
  expect(chat.presence(['cyd'])).toBe(unwatched)
  for (let i = 0; i < 100; i++) chat.presence([`user${i}`])
  expect(chat.presence(['bob'])).toBe(watched)
  expect(chat.presence(['cyd'])).not.toBe(unwatched)
})
