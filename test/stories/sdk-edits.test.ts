import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileStorage } from '../../client-sdk/src/chat/outbox/file-storage.ts'
import {
  type ChatClient,
  type ChatError,
  type ChatMessage,
  type ConversationView,
  createClient,
  type FeedEvent,
} from '../../client-sdk/src/node.ts'
import { chatOf, isEmpty } from '../harness/chat.ts'
import { temporaryDirectory } from '../harness/directory.ts'
import { createInbox } from '../harness/plain-client.ts'
import { sharedStorage } from '../harness/shared-storage.ts'
import { shows } from '../harness/views.ts'
import { startWorld } from '../harness/world.ts'

// Messages that change after they were sent: at once for whoever changes them, once and in order for everybody.

const has =
  (...texts: string[]) =>
  ({ messages, loading }: { messages: readonly ChatMessage[]; loading: string | null }) =>
    loading === null && String(messages.map(({ text }) => text)) === String(texts)
const isSaved = ({ messages }: { messages: readonly ChatMessage[] }) => messages.every(({ change }) => change === null)
const keyOf = (view: ConversationView, text: string) =>
  view.getSnapshot().messages.find((message) => message.text === text)?.key ?? ''

/** A gate that nothing passes until it is opened. */
const createGate = () => {
  const opened = createInbox<true>()
  return { passed: () => opened.until(() => opened.items.length > 0), open: () => opened.add(true) }
}
/** The texts that a client sends, and edits to, in their order; that of `heldText` waits until it is let go. */
const watchTexts = (heldText?: string) => {
  const texts = createInbox<string>()
  const gate = createGate()
  const leave = (text: string) => {
    texts.add(text)
    return text === heldText ? gate.passed() : Promise.resolve()
  }
  return {
    texts: texts.items,
    isHeld: () => texts.until(() => texts.items.includes(heldText ?? '')),
    letGo: gate.open,
    calls: (client: ChatClient): Partial<ChatClient> => ({
      editMessage: (input, options) => leave(input.text).then(() => client.editMessage(input, options)),
      sendMessage: (input, options) => leave(input.text).then(() => client.sendMessage(input, options)),
    }),
  }
}
const isOffline = (client: ChatClient) =>
  shows({ getSnapshot: () => client.state, subscribe: client.onState }, ({ status }) => status === 'offline')

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

describe.concurrent('edits in the outbox', () => {
  test('[P2] [P3] wait for a connection with the messages, in order, in a file that outlives the program', async () => {
    await using world = await startWorld()
    await using directory = await temporaryDirectory()
    const storage = fileStorage(join(directory.path, 'outbox'))
    const [ada, bob] = await world.people('ada', 'bob')
    const first = chatOf(ada, { storage })
    const view = first.conversation('bob')
    await shows(view, ({ loading }) => loading === null)
    await Promise.all([view.send('one').sent, view.send('two').sent])
    ada.network.cut()
    await isOffline(first.client)
    view.send('three')
    const edit = view.edit(keyOf(view, 'one'), 'One')
    const deletion = view.delete(keyOf(view, 'two'))
    view.send('four')
    await shows(first.outbox, ({ length }) => length === 4)
    await first[Symbol.asyncDispose]()
    await expect(edit.saved).rejects.toMatchObject({ kind: 'closed' })
    await expect(deletion.saved).rejects.toMatchObject({ kind: 'closed' })

    await using second = chatOf(ada, { storage })
    const again = second.conversation('bob')
    const kept = await shows(second.outbox, ({ length }) => length === 4)
    expect(kept.map(({ type }) => type)).toEqual(['send', 'edit', 'delete', 'send'])
    const plain = world.plain(bob.token).follow()
    ada.network.restore()
    await isEmpty(second)
    await shows(again, has('One', '', 'three', 'four'))
    const isAll = () => plain.items.some((event) => event.type === 'message' && event.message.text === 'four')
    await plain.until(isAll)
    const heard = plain.items.flatMap((event) =>
      event.type === 'message' || event.type === 'messageChanged' ? [`${event.type} ${event.message.text}`] : [],
    )
    expect(heard.slice(-4)).toEqual(['message three', 'messageChanged One', 'messageChanged ', 'message four'])
  })

  test('of several edits of one message that wait, the last text is saved, with one call', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada', 'bob')
    const { texts, calls } = watchTexts()
    await using chat = chatOf(ada, { calls })
    const view = chat.conversation('bob')
    await shows(view, ({ loading }) => loading === null)
    await view.send('one').sent
    ada.network.cut()
    await isOffline(chat.client)
    const edits = ['One', 'ONE', 'Uno'].map((text) => view.edit(view.getSnapshot().messages[0]?.key ?? '', text))
    expect(chat.outbox.getSnapshot()).toMatchObject([{ type: 'edit', text: 'Uno' }])
    ada.network.restore()
    for (const { saved } of edits) expect(await saved).toMatchObject({ text: 'Uno', revision: 2 })
    expect(texts).toEqual(['one', 'Uno'])
  })

  test('an edit while another is on its way is made on what that one makes', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada', 'bob')
    const { isHeld, letGo, calls } = watchTexts('One')
    await using chat = chatOf(ada, { calls })
    const view = chat.conversation('bob')
    await shows(view, ({ loading }) => loading === null)
    await view.send('one').sent
    const { key } = view.getSnapshot().messages[0] as ChatMessage
    const first = view.edit(key, 'One')
    await isHeld()
    expect(chat.outbox.cancel(first.outboxId)).toBe(false)
    const second = view.edit(key, 'Uno')
    const third = view.edit(key, 'Eins')
    expect(view.getSnapshot().messages[0]).toMatchObject({ text: 'Eins', change: { status: 'sending' } })
    letGo()
    expect(await first.saved).toMatchObject({ text: 'One', revision: 2 })
    expect(await second.saved).toMatchObject({ text: 'Eins', revision: 3 })
    expect(await third.saved).toMatchObject({ text: 'Eins', revision: 3 })
  })

  test('a message that has not left is sent with its new text; one that has is edited behind its send', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const { isHeld, letGo, calls } = watchTexts('two')
    await using chat = chatOf(ada, { calls })
    const view = chat.conversation('bob')
    await shows(view, ({ loading }) => loading === null)
    await view.send('zero').sent
    ada.network.cut()
    await isOffline(chat.client)
    const one = view.send('one')
    view.edit(one.clientMessageId, 'One')
    expect(view.getSnapshot().messages.at(-1)).toMatchObject({ text: 'One', status: 'sending', change: null })
    ada.network.restore()
    expect(await one.sent).toMatchObject({ text: 'One', revision: 1, editedAt: null })

    const two = view.send('two')
    await isHeld()
    const edit = view.edit(two.clientMessageId, 'Two')
    expect(view.getSnapshot().messages.at(-1)).toMatchObject({ text: 'Two', change: { kind: 'edit' } })
    letGo()
    expect(await two.sent).toMatchObject({ text: 'two', revision: 1 })
    expect(await edit.saved).toMatchObject({ text: 'Two', revision: 2 })
    await shows(view, has('zero', 'One', 'Two'))
    expect(await bob.received(3)).toEqual(['zero', 'One', 'two'])
  })

  test('deleted before it has left, a message is never sent; on its way, it is deleted behind its send', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const { isHeld, letGo, calls } = watchTexts('two')
    await using chat = chatOf(ada, { calls })
    const view = chat.conversation('bob')
    await shows(view, ({ loading }) => loading === null)
    const two = view.send('two')
    const one = view.send('one')
    view.edit(one.clientMessageId, 'One')
    expect(await view.delete(one.clientMessageId).saved).toBeNull()
    await expect(one.sent).rejects.toMatchObject({ kind: 'cancelled' })
    await isHeld()
    const deletion = view.delete(two.clientMessageId)
    expect(view.getSnapshot().messages).toMatchObject([{ text: '', change: { kind: 'delete', status: 'sending' } }])
    letGo()
    expect(await deletion.saved).toMatchObject({ text: '', deletedAt: expect.any(Date) })
    await shows(view, has(''))
    await view.send('three').sent
    const [first, second] = await bob.received(2)
    // Read from the log, it comes as it is then.
    expect(['two', '']).toContain(first)
    expect(second).toBe('three')
  })

  test('edited meanwhile elsewhere, it has failed as a conflict: retried it is made on the present text, cancelled that is shown', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada', 'bob')
    const phone = await world.device('ada')
    await using chat = chatOf(ada)
    const view = chat.conversation('bob')
    await shows(view, ({ loading }) => loading === null)
    const { id } = await view.send('one').sent
    const { key } = view.getSnapshot().messages[0] as ChatMessage
    for (const [revision, end] of [
      [1, 'retry'],
      [3, 'cancel'],
    ] as const) {
      ada.network.cut()
      await isOffline(chat.client)
      const edit = view.edit(key, `mine, ${end}`)
      await phone.client.editMessage({ messageId: id, revision, text: `theirs ${end}` })
      ada.network.restore()
      await expect(edit.saved).rejects.toMatchObject({ kind: 'conflict' })
      const failed = await shows(view, ({ messages }) => messages[0]?.revision === revision + 1)
      expect(failed.messages[0]).toMatchObject({
        text: `mine, ${end}`,
        change: { kind: 'edit', status: 'failed', error: { kind: 'conflict' }, outboxId: edit.outboxId },
      })
      expect(chat.outbox[end](edit.outboxId)).toBe(true)
      await shows(view, isSaved)
      expect(view.getSnapshot().messages[0]).toMatchObject(
        end === 'retry' ? { text: 'mine, retry', revision: 3 } : { text: 'theirs cancel', revision: 4 },
      )
    }
    expect(chat.outbox.getSnapshot()).toEqual([])
    expect((await phone.client.messageVersions({ messageId: id })).versions.map(({ text }) => text)).toEqual([
      'one',
      'theirs retry',
      'mine, retry',
      'theirs cancel',
    ])
  })

  test('what the server refuses says why: too old, deleted meanwhile, of somebody else', async () => {
    await using world = await startWorld({ config: { editWindowMinutes: 0 } })
    const [ada, bob] = await world.people('ada', 'bob')
    await using chat = chatOf(ada)
    const view = chat.conversation('bob')
    await shows(view, ({ loading }) => loading === null)
    const { id: one } = await view.send('one').sent
    const { id: two } = await view.send('two').sent
    const [theirs] = await bob.send('ada', 'theirs')
    await expect(view.edit(one, 'One').saved).rejects.toMatchObject({ kind: 'editWindowOver' })
    await expect(chat.delete({ messageId: theirs?.id ?? '' }).saved).rejects.toMatchObject({ kind: 'notAllowed' })
    ada.network.cut()
    await isOffline(chat.client)
    const late = view.edit(two, 'Two')
    const phone = await world.device('ada')
    await phone.client.deleteMessage({ messageId: two })
    ada.network.restore()
    await expect(late.saved).rejects.toMatchObject({ kind: 'messageDeleted' })
    const { messages } = await shows(view, ({ messages }) => messages[1]?.deletedAt !== null && messages.length === 3)
    expect(messages).toMatchObject([
      { text: 'One', change: { status: 'failed', error: { kind: 'editWindowOver' } } },
      { text: '', change: { kind: 'edit', status: 'failed', text: 'Two' } },
      { text: 'theirs', change: { kind: 'delete', status: 'failed', error: { kind: 'notAllowed' } } },
    ])
    for (const { clientMessageId } of chat.outbox.getSnapshot()) chat.outbox.cancel(clientMessageId)
    expect(view.getSnapshot().messages.map(({ text }) => text)).toEqual(['one', '', 'theirs'])
  })

  test('[P2] an edit whose answer was lost is repeated, and made once', async () => {
    await using world = await startWorld()
    await using directory = await temporaryDirectory()
    const storage = fileStorage(join(directory.path, 'outbox'))
    const [ada, bob] = await world.people('ada', 'bob')
    const first = chatOf(ada, { storage })
    const view = first.conversation('bob')
    await shows(view, ({ loading }) => loading === null)
    const { id } = await view.send('one').sent
    ada.network.mute()
    view.edit(id, 'One')
    const untilTexts = async (...texts: string[]) => {
      for (let now = ''; now !== String(texts); )
        now = String((await bob.client.messageVersions({ messageId: id })).versions.map(({ text }) => text))
    }
    await untilTexts('one', 'One')
    // It may have been made: another text is another edit, behind it.
    const next = view.edit(id, 'Uno')
    await first[Symbol.asyncDispose]()
    await expect(next.saved).rejects.toMatchObject({ kind: 'closed' })
    await using second = chatOf(ada, { storage })
    await untilTexts('one', 'One', 'Uno')
    await isEmpty(second)
  })

  test('[P3] two that share a storage, such as tabs, see and save the edits of both', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const { storage } = sharedStorage()
    const chats = [chatOf(ada, { storage }), chatOf(ada, { storage })] as const
    const [first, second] = chats.map((chat) => chat.conversation('bob')) as [ConversationView, ConversationView]
    for (const view of [first, second]) await shows(view, ({ loading }) => loading === null)
    const one = first.send('one')
    second.edit((await shows(second, ({ messages }) => messages.length === 1)).messages[0]?.key ?? '', 'One')
    await one.sent
    for (const view of [first, second]) await shows(view, (now) => has('One')(now) && isSaved(now))
    for (const [view, text] of [
      [first, 'ONE'],
      [second, 'Uno'],
    ] as const)
      await view.edit(one.clientMessageId, text).saved
    for (const chat of chats) {
      await isEmpty(chat)
      await shows(chat.conversation('bob'), has('Uno'))
    }
    expect((await bob.client.history({ conversation: 'ada' })).messages).toMatchObject([{ text: 'Uno' }])
    for (const chat of chats) await chat[Symbol.asyncDispose]()
  })

  test.each(['edits first', 'takes back first'])(
    'of two that share a storage, one edits what the other takes back at the same moment: both agree on it (%s)',
    async (order) => {
      await using world = await startWorld()
      const [ada] = await world.people('ada', 'bob')
      const { storage } = sharedStorage()
      const chats = [chatOf(ada, { storage }), chatOf(ada, { storage })] as const
      const [first, second] = chats.map((chat) => chat.conversation('bob')) as [ConversationView, ConversationView]
      for (const view of [first, second]) await shows(view, ({ loading }) => loading === null)
      ada.network.cut()
      const { clientMessageId, sent } = first.send('one')
      sent.catch(() => {})
      await shows(second, ({ messages }) => messages.length === 1)
      const [edit, takeBack] = [
        () => first.edit(clientMessageId, 'One').saved.catch(() => {}),
        () => second.delete(clientMessageId).saved.catch(() => {}),
      ]
      const both = order === 'edits first' ? [edit(), takeBack()] : [takeBack(), edit()]
      await Promise.race(both)
      ada.network.restore()
      for (const chat of chats) await isEmpty(chat)
      const [kept, alike] = [first, second].map((view) => view.getSnapshot().messages.map(({ key }) => key))
      expect(kept).toEqual(alike)
      for (const chat of chats) await chat[Symbol.asyncDispose]()
    },
  )
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
