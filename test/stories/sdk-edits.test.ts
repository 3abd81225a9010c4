import { describe, expect, test } from 'vitest'
import { type ChatError, type ChatMessage, createClient, type FeedEvent } from '../../client-sdk/src/node.ts'
import { chatOf, isEmpty } from '../harness/chat.ts'
import { has, keyOf } from '../harness/edits.ts'
import { createGate } from '../harness/gate.ts'
import { createInbox } from '../harness/plain-client.ts'
import { shows } from '../harness/views.ts'
import { startWorld } from '../harness/world.ts'

// Messages that change after they were sent: at once for whoever changes them, once and in order for everybody.

describe.concurrent('loops', () => {
  test('[P2] [P5] give what was edited and deleted, live and behind a cursor, and new messages apart', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const events = createInbox<FeedEvent>()
    const follow = async () => {
      for await (const event of bob.client.events()) events.add(event)
    }
    follow().catch(events.fail)
    await events.until(() => events.items.some(({ type }) => type === 'caughtUp'))
    const [one, two] = await ada.send('bob', 'one', 'two')
    const { cursor } = await events.first(
      (event): event is typeof event => event.type === 'message' && event.message.text === 'two',
    )
    await ada.client.editMessage({ messageId: one?.id ?? '', revision: 1, text: 'One' })
    await ada.client.deleteMessage({ messageId: two?.id ?? '' })
    await ada.client.updateProfile({ displayName: 'Ada L.' })
    await ada.send('bob', 'three')
    await events.until(() => events.items.some((event) => event.type === 'message' && event.message.text === 'three'))
    const changes = (all: FeedEvent[]) => all.filter(({ type }) => type === 'messageChanged' || type === 'user')
    const expected = [
      { type: 'messageChanged', message: { id: one?.id, text: 'One', revision: 2, editedAt: expect.any(Date) } },
      { type: 'messageChanged', message: { id: two?.id, text: '', deletedAt: expect.any(Date) } },
      { type: 'user', user: { userId: 'ada', displayName: 'Ada L.' } },
    ]
    expect(changes(events.items)).toMatchObject(expected)
    expect(await bob.received(3)).toEqual(['one', 'two', 'three'])

    const later = createClient({ url: world.url, token: bob.token })
    const missed: FeedEvent[] = []
    for await (const event of later.events({ cursor })) {
      if (event.type === 'caughtUp') break
      missed.push(event)
    }
    expect(changes(missed)).toMatchObject(expected)
    later.close()
  })
})

describe.concurrent('a conversation', () => {
  test('shows an edit and a deletion at once, and everybody sees them in their places', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await using chat = chatOf(ada)
    await using atBob = chatOf(bob)
    const view = chat.conversation('bob')
    const bobs = atBob.conversation('ada')
    await shows(bobs, ({ loading }) => loading === null)
    await shows(view, ({ loading }) => loading === null)
    for (const text of ['one', 'two', 'three']) view.send(text)
    await isEmpty(chat)
    await shows(bobs, has('one', 'two', 'three'))
    await shows(atBob.conversations, ({ conversations }) => conversations[0]?.unread === 3)

    const edit = view.edit(keyOf(view, 'one'), 'One')
    const deletion = view.delete(keyOf(view, 'two'))
    expect(view.getSnapshot().messages).toMatchObject([
      { text: 'One', revision: 1, change: { kind: 'edit', status: 'sending', text: 'One', outboxId: edit.outboxId } },
      {
        text: '',
        deletedAt: expect.any(Date),
        change: { kind: 'delete', status: 'sending', outboxId: deletion.outboxId },
      },
      { text: 'three', change: null },
    ])
    expect(await edit.saved).toMatchObject({ text: 'One', revision: 2 })
    expect(await deletion.saved).toMatchObject({ text: '', deletedAt: expect.any(Date) })
    for (const each of [view, bobs]) {
      const { messages } = await shows(each, has('One', '', 'three'))
      expect(messages).toMatchObject([
        { revision: 2, editedAt: expect.any(Date), deletedAt: null, change: null },
        { deletedAt: expect.any(Date), change: null },
        { revision: 1, editedAt: null },
      ])
    }
    // What is deleted is not unread any more.
    await shows(atBob.conversations, ({ conversations }) => conversations[0]?.unread === 2)
    await chat.edit({ messageId: view.getSnapshot().messages[2]?.id ?? '', revision: 1, text: 'Three' }).saved
    await shows(atBob.conversations, ({ conversations }) => conversations[0]?.lastMessage?.text === 'Three')
    expect(() => bobs.edit(keyOf(bobs, 'One'), 'Mine')).toThrow(expect.objectContaining({ kind: 'notAllowed' }))
    expect(() => view.edit(view.getSnapshot().messages[1]?.key ?? '', 'x')).toThrow(
      expect.objectContaining({ kind: 'messageDeleted' }),
    )
    expect(() => view.delete('no such message')).toThrow(expect.objectContaining({ kind: 'unknownMessage' }))
  })

  test('the list keeps its order by what was said last, whatever was edited since', async () => {
    await using world = await startWorld()
    const [ada, bob, cyd] = await world.people('ada', 'bob', 'cyd')
    const [old] = await bob.send('ada', 'old')
    await cyd.send('ada', 'new')
    await using chat = chatOf(ada)
    await shows(chat.conversations, ({ conversations }) => conversations.length === 2)
    await bob.client.editMessage({ messageId: old?.id ?? '', revision: 1, text: 'older' })
    const { conversations } = await shows(chat.conversations, ({ conversations }) =>
      conversations.some(({ lastMessage }) => lastMessage?.text === 'older'),
    )
    expect(conversations.map(({ id }) => id)).toEqual(['dm:ada:cyd', 'dm:ada:bob'])
  })

  test('[P5] never shows an older state behind a newer one, whatever way it comes', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await bob.send('ada', '0')
    await Promise.all(Array.from({ length: 59 }, (_, i) => bob.client.sendMessage({ to: 'ada', text: `${i + 1}` })))
    const gate = createGate()
    const read = createInbox<number>()
    await using chat = chatOf(ada, {
      calls: (client) => ({
        async history(input, options) {
          const page = await client.history(input, options)
          if (input.before !== undefined) {
            read.add(input.before)
            await gate.passed()
          }
          return page
        },
      }),
    })
    const view = chat.conversation('bob')
    await shows(view, ({ messages }) => messages.length === 50)
    const older = view.loadOlder()
    await read.until(() => read.items.length > 0)
    // The page that is on its way has the text from before.
    await bob.client.editMessage({ messageId: 'dm:ada:bob:5', revision: 1, text: 'edited' })
    await bob.client.sendMessage({ to: 'ada', text: 'last' })
    await shows(view, ({ messages }) => messages.at(-1)?.text === 'last')
    gate.open()
    await older
    expect(view.getSnapshot().messages[4]?.text).toBe('edited')
  })

  test('people are shown by their present names', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await bob.client.updateProfile({ displayName: 'Bob' })
    await bob.send('ada', 'hello')
    await using chat = chatOf(ada)
    const view = chat.conversation('bob')
    const presence = chat.presence(['bob'])
    const named =
      (name: string) =>
      ({ messages }: { messages: readonly ChatMessage[] }) =>
        messages[0]?.senderName === name
    await shows(view, named('Bob'))
    await shows(presence, (all) => all.get('bob')?.displayName === 'Bob')
    const nameInList = (name: string) =>
      shows(chat.conversations, ({ conversations }) =>
        Boolean(conversations[0]?.members.some(({ displayName }) => displayName === name)),
      )
    await nameInList('Bob')
    await bob.client.updateProfile({ displayName: 'Robert' })
    const { people } = await shows(view, named('Robert'))
    expect(people).toMatchObject([{ userId: 'ada' }, { userId: 'bob', displayName: 'Robert' }])
    await nameInList('Robert')
    await shows(presence, (all) => all.get('bob')?.displayName === 'Robert')
  })
})

test('[P5] a cursor that lies beyond a store that was put back: the loop says so, a chat begins anew', async () => {
  let isPutBack = false
  await using world = await startWorld({
    adapt: (ports) => ({
      ...ports,
      store: { ...ports.store, version: async () => (isPutBack ? 1 : ports.store.version()) },
    }),
  })
  const [ada, bob] = await world.people('ada', 'bob')
  await bob.send('ada', 'one')
  const errors: ChatError[] = []
  await using chat = chatOf(ada, { onError: (error) => errors.push(error) })
  const view = chat.conversation('bob')
  await shows(view, has('one'))
  await shows(chat.conversations, ({ conversations }) => conversations.length === 1)
  let cursor = ''
  for await (const event of bob.client.events()) {
    cursor = event.cursor
    if (event.type === 'caughtUp') break
  }
  isPutBack = true
  await expect(bob.client.events({ cursor }).next()).rejects.toMatchObject({ kind: 'badCursor' })
  ada.network.kick()
  isPutBack = true
  await bob.send('ada', 'two')
  await shows(view, ({ messages }) => messages.at(-1)?.text === 'two')
  await shows(chat.conversations, ({ conversations }) => conversations[0]?.lastMessage?.text === 'two')
  expect(errors).toEqual([])
})
