import { describe, expect, test } from 'vitest'
import { chatOf } from '../harness/chat.ts'
import { createInbox } from '../harness/plain-client.ts'
import { shows } from '../harness/views.ts'
import { type Person, password, startWorld, type World } from '../harness/world.ts'

// The list of conversations, and what is unread in them.

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`)
const sendMany = async (world: World, from: Person, to: string, texts: string[]) => {
  const plain = world.plain(from.token)
  for (const text of texts) await plain.api.sendMessage.mutate({ to, text })
}
const register = (world: World, username: string) =>
  fetch(`${world.url}/api/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  })
const unreadOf = (id: string) => (list: { conversations: readonly { id: string; unread: number }[] }) =>
  list.conversations.find((conversation) => conversation.id === id)?.unread

describe.concurrent('the conversations', () => {
  test('[P6] count what is unread, on every device of a user, until it is read', async () => {
    await using world = await startWorld()
    const [ada, bob, cyd] = await world.people('ada', 'bob', 'cyd')
    await bob.send('ada', 'one', 'two')
    await using chat = chatOf(ada)
    await using other = chatOf(await world.device('ada'))
    const list = await shows(chat.conversations, ({ conversations }) => conversations.length === 1)
    expect(list.conversations).toMatchObject([
      {
        id: 'dm:ada:bob',
        kind: 'direct',
        members: [{ userId: 'ada' }, { userId: 'bob', displayName: 'bob' }],
        unread: 2,
        lastMessage: { text: 'two' },
      },
    ])
    await shows(other.conversations, (list) => unreadOf('dm:ada:bob')(list) === 2)
    await bob.send('ada', 'three')
    await cyd.send('ada', 'hello')
    const { conversations } = await shows(chat.conversations, ({ conversations }) => conversations.length === 2)
    expect(conversations.map(({ id }) => id)).toEqual(['dm:ada:cyd', 'dm:ada:bob'])
    await shows(chat.conversations, (list) => unreadOf('dm:ada:bob')(list) === 3)

    const view = chat.conversation('bob')
    await shows(view, ({ messages }) => messages.length === 3)
    view.markRead()
    // Here at once, elsewhere when it is known.
    expect(unreadOf('dm:ada:bob')(chat.conversations.getSnapshot())).toBe(0)
    await shows(other.conversations, (list) => unreadOf('dm:ada:bob')(list) === 0)
    // A new conversation stands there once the list has been read anew.
    await shows(other.conversations, (list) => unreadOf('dm:ada:cyd')(list) === 1)
    await bob.send('ada', 'four')
    await shows(chat.conversations, (list) => unreadOf('dm:ada:bob')(list) === 1)
  })

  test('[P6] are read up to a message: what stands below the screen stays unread', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await bob.send('ada', 'one', 'two', 'three')
    await using chat = chatOf(ada)
    await using atBob = chatOf(bob)
    await shows(chat.conversations, (list) => unreadOf('dm:ada:bob')(list) === 3)
    const view = chat.conversation('bob')
    await shows(view, ({ messages }) => messages.length === 3)
    view.markRead(2)
    await shows(chat.conversations, (list) => unreadOf('dm:ada:bob')(list) === 1)
    await shows(atBob.conversation('ada'), ({ messages }) => messages[1]?.status === 'read')
    expect(atBob.conversation('ada').getSnapshot().messages[2]?.status).not.toBe('read')
  })

  test('[P6] are read also where own messages alone were loaded below what was unread', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await bob.send('ada', 'a question')
    await sendMany(world, ada, 'bob', numbers(1, 60))
    await using chat = chatOf(ada)
    await shows(chat.conversations, (list) => unreadOf('dm:ada:bob')(list) === 1)
    const view = chat.conversation('bob')
    await shows(view, ({ loading, messages }) => loading === null && messages.length > 0)
    view.markRead()
    await shows(chat.conversations, (list) => unreadOf('dm:ada:bob')(list) === 0)
  })

  test('[P6] what was read without a connection is said when there is one', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const [sent] = await bob.send('ada', 'hello')
    await using chat = chatOf(ada)
    await using atBob = chatOf(bob)
    const view = chat.conversation('bob')
    await shows(view, ({ messages }) => messages.length === 1)
    ada.network.cut()
    view.markRead()
    ada.network.restore()
    await shows(atBob.conversation('ada'), ({ messages }) => messages[0]?.status === 'read')
    expect(atBob.conversation('ada').getSnapshot().messages[0]).toMatchObject({ id: sent?.id })
  })

  test('come in pages', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    const names = Array.from({ length: 60 }, (_, i) => `user${i}`)
    await Promise.all(names.map((name) => register(world, name)))
    for (const name of names) await ada.send(name, 'hello')
    await using chat = chatOf(ada)
    const first = await shows(chat.conversations, ({ conversations }) => conversations.length > 0)
    expect(first.conversations).toHaveLength(50)
    expect(first.hasMore).toBe(true)
    await chat.conversations.loadMore()
    const { conversations } = chat.conversations.getSnapshot()
    expect(conversations.map(({ members }) => members[1]?.userId)).toEqual(names.reverse())
    expect(chat.conversations.getSnapshot().hasMore).toBe(false)
  })

  test('[P11] what is unread is counted along the line, also where an own later message was edited and acknowledged before', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const goOn = createInbox<true>()
    await using chat = chatOf(ada, {
      calls: ({ events }) => ({
        async *events(options) {
          for await (const event of events(options)) {
            if (event.type === 'message' && event.message.sender === 'bob')
              await goOn.until(() => goOn.items.length > 0)
            yield event
          }
        },
      }),
    })
    const view = chat.conversation('bob')
    await shows(chat.conversations, ({ isLoading }) => !isLoading)
    await view.send('one').sent
    await shows(chat.conversations, (list) => unreadOf('dm:ada:bob')(list) === 0)
    await bob.send('ada', 'two', 'three')
    const { id: messageId, revision } = await view.send('four').sent
    await chat.edit({ messageId, revision, text: 'four and more' }).saved
    goOn.add(true)
    await shows(chat.conversations, ({ conversations }) => conversations[0]?.lastMessage?.text === 'four and more')
    await shows(chat.conversations, (list) => unreadOf('dm:ada:bob')(list) === 2)
  })
})
