import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileStorage } from '../../client-sdk/src/chat/outbox/file-storage.ts'
import type { ChatClient, ChatMessage, ConversationView } from '../../client-sdk/src/node.ts'
import { chatOf, isEmpty } from '../harness/chat.ts'
import { temporaryDirectory } from '../harness/directory.ts'
import { has, isSaved, keyOf } from '../harness/edits.ts'
import { createGate } from '../harness/gate.ts'
import { createInbox } from '../harness/plain-client.ts'
import { sharedStorage } from '../harness/shared-storage.ts'
import { shows } from '../harness/views.ts'
import { startWorld } from '../harness/world.ts'

// Edits and deletions that wait in the outbox, with the messages and in their order.

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
