import { describe, expect, test } from 'vitest'
import { chatOf } from '../harness/chat.ts'
import { shows } from '../harness/views.ts'
import { startWorld } from '../harness/world.ts'

// What is asked of a conversation that nobody has looked at yet is done as well, and never passed over in silence.

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}`)

describe.concurrent('a conversation that was not read yet', () => {
  test('[P6] [P11] «mark all as read» over the list reads no messages, and all are read', async () => {
    await using world = await startWorld()
    const [ada, bob, cyd] = await world.people('ada', 'bob', 'cyd')
    await bob.send('ada', 'one', 'two')
    await cyd.send('ada', 'three')
    let histories = 0
    await using chat = chatOf(ada, {
      calls: (client) => ({
        history(...input) {
          histories++
          return client.history(...input)
        },
      }),
    })
    await using other = chatOf(await world.device('ada'))
    const unread = (list: { conversations: readonly { unread: number }[] }) =>
      list.conversations.map(({ unread }) => unread).join()
    const list = await shows(chat.conversations, (list) => unread(list) === '1,2')
    await shows(other.conversations, (list) => unread(list) === '1,2')
    for (const { id, lastMessage } of list.conversations) chat.conversation(id).markRead(lastMessage?.seq ?? 0)
    expect(unread(chat.conversations.getSnapshot())).toBe('0,0')
    await shows(other.conversations, (list) => unread(list) === '0,0')
    expect(histories).toBe(0)
  })

  test('[P6] is read up to a number though nothing is known of it, and no further than it goes', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await bob.send('ada', ...numbers(3))
    await using chat = chatOf(ada)
    await using atBob = chatOf(bob)
    const sent = atBob.conversation('ada')
    chat.conversation('bob').markRead(2)
    await shows(sent, ({ messages }) => messages[1]?.status === 'read')
    expect(sent.getSnapshot().messages[2]?.status).not.toBe('read')
    await using another = chatOf(ada)
    another.conversation('bob').markRead(1_000)
    await shows(sent, ({ messages }) => messages[2]?.status === 'read')
    await bob.send('ada', '4')
    await shows(another.conversation('bob'), ({ messages }) => messages.length === 4)
    await shows(another.conversations, ({ conversations }) => conversations[0]?.unread === 1)
  })

  test('[P6] is read up to a message that stands above what was loaded', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await bob.send('ada', ...numbers(60))
    await using chat = chatOf(ada)
    await shows(chat.conversations, ({ conversations }) => conversations[0]?.unread === 60)
    const view = chat.conversation('bob')
    await shows(view, ({ messages }) => messages.length === 50)
    view.markRead(5)
    await shows(chat.conversations, ({ conversations }) => conversations[0]?.unread === 55)
  })

  test('loads its newest page when it is asked for older messages', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await bob.send('ada', ...numbers(60))
    await using chat = chatOf(ada)
    const view = chat.conversation('bob')
    await view.loadOlder()
    expect(view.getSnapshot()).toMatchObject({ hasOlder: true, loading: null, error: null })
    expect(view.getSnapshot().messages).toHaveLength(50)
    await view.loadOlder()
    expect(view.getSnapshot().messages).toHaveLength(60)
  })

  test('takes a message, and says in words that it cannot change what it does not show', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const [before] = await ada.send('bob', 'before')
    await using chat = chatOf(ada)
    const view = chat.conversation('bob')
    await view.send('hello').sent
    expect(await bob.received(2)).toEqual(['before', 'hello'])
    const unknown = expect.objectContaining({ kind: 'unknownMessage' })
    expect(() => view.edit(before?.id ?? '', 'after')).toThrow(unknown)
    expect(() => view.delete(before?.id ?? '')).toThrow(unknown)
  })
})
