import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileStorage } from '../../client-sdk/src/chat/outbox/file-storage.ts'
import { type ChatError, createChat, memoryStorage, type OutboxStorage } from '../../client-sdk/src/node.ts'
import { chatOf, isEmpty } from '../harness/chat.ts'
import { temporaryDirectory } from '../harness/directory.ts'
import { createInbox } from '../harness/plain-client.ts'
import { sharedStorage } from '../harness/shared-storage.ts'
import { shows } from '../harness/views.ts'
import { password, startWorld } from '../harness/world.ts'

// What a chat sends is sent: through cuts, restarts and limits, once and in order (P1-P4).

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}`)

describe.concurrent('the outbox', () => {
  test('[P6] a message is sending at once, then sent, delivered and read, and keeps its key', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    bob.network.cut()
    await using chat = chatOf(ada)
    const view = chat.conversation('bob')
    const statuses: string[] = []
    const keys = new Set<string>()
    const note = () => {
      const message = view.getSnapshot().messages[0]
      if (!message) return
      keys.add(message.key)
      if (statuses.at(-1) !== message.status) statuses.push(message.status)
    }
    view.subscribe(note)
    const { clientMessageId, sent } = view.send('hello')
    expect(view.getSnapshot().messages).toMatchObject([
      { key: clientMessageId, id: null, seq: null, text: 'hello', status: 'sending', error: null },
    ])
    expect(await sent).toMatchObject({ text: 'hello', seq: 1 })
    await shows(view, ({ messages }) => messages[0]?.status === 'sent')
    bob.network.restore()
    await shows(view, ({ messages }) => messages[0]?.status === 'delivered')
    await bob.client.markRead({ messageId: 'dm:ada:bob:1' })
    // Who subscribed first is told first.
    await shows({ getSnapshot: () => statuses, subscribe: view.subscribe }, (told) => told.includes('read'))
    expect(statuses).toEqual(['sending', 'sent', 'delivered', 'read'])
    expect([...keys]).toEqual([clientMessageId])
  })

  test('[P2] [P3] 1,000 messages sent offline arrive once each, in order, after reconnecting', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await using chat = chatOf(ada)
    ada.network.cut()
    await shows(
      { getSnapshot: () => chat.client.state, subscribe: chat.client.onState },
      ({ status }) => status === 'offline',
    )
    for (const text of numbers(1_000)) chat.send({ to: 'bob', text })
    expect(chat.outbox.getSnapshot().every(({ status }) => status === 'sending')).toBe(true)
    expect(() => chat.send({ to: 'bob', text: 'one too many' })).toThrow(
      expect.objectContaining({ kind: 'outboxFull' }),
    )
    ada.network.restore()
    expect(await bob.received(1_000)).toEqual(numbers(1_000))
    await isEmpty(chat)
    expect((await bob.client.history({ conversation: 'ada', limit: 1 })).messages[0]?.seq).toBe(1_000)
  })

  test('[P2] [P4] what was not acknowledged is sent by the next program, under the same name', async () => {
    await using world = await startWorld()
    await using directory = await temporaryDirectory()
    const storage = fileStorage(join(directory.path, 'outbox'))
    const [ada, bob] = await world.people('ada', 'bob')
    const first = chatOf(ada, { storage })
    await first.send({ to: 'bob', text: '1' }).sent
    // From here on the server gets what she sends, and she hears nothing of it.
    ada.network.mute()
    const unheard = first.send({ to: 'bob', text: '2' })
    const unsent = first.send({ to: 'bob', text: '3' })
    expect(await bob.received(2)).toEqual(['1', '2'])
    await first[Symbol.asyncDispose]()
    await expect(unheard.sent).rejects.toMatchObject({ kind: 'closed' })
    await expect(unsent.sent).rejects.toMatchObject({ kind: 'closed' })
    const kept = await storage({ url: ada.network.url, userId: 'ada' })
    expect(await kept.read()).toMatchObject([{ text: '2' }, { text: '3' }])
    await kept.close()

    await using second = chatOf(ada, { storage })
    expect(await bob.received(3)).toEqual(['1', '2', '3'])
    await isEmpty(second)
  })

  test('it waits as long as the limits of the server ask, and sends all in order', async () => {
    await using world = await startWorld({ config: { rateLimits: true } })
    const [ada, bob] = await world.people('ada', 'bob')
    await using chat = chatOf(ada)
    for (const text of numbers(24)) chat.send({ to: 'bob', text })
    expect(await bob.received(24)).toEqual(numbers(24))
    await isEmpty(chat)
  })

  test('one message at a time leaves for each conversation, and a slow one keeps no other waiting', async () => {
    await using world = await startWorld()
    const [ada, bob, cyd] = await world.people('ada', 'bob', 'cyd')
    await using chat = chatOf(ada)
    for (const text of numbers(30)) for (const to of ['bob', 'cyd', 'ada']) chat.send({ to, text: `${to} ${text}` })
    expect(await bob.received(30)).toEqual(numbers(30).map((text) => `bob ${text}`))
    expect(await cyd.received(30)).toEqual(numbers(30).map((text) => `cyd ${text}`))
    await isEmpty(chat)
  })

  test('what the server refuses has failed with its kind; it can be sent again or taken back, and others go on', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await using chat = chatOf(ada)
    const refused = chat.send({ to: 'zoe', text: 'who are you?' })
    const empty = chat.send({ to: 'bob', text: ' ' })
    const fine = chat.send({ to: 'bob', text: 'hello' })
    await expect(refused.sent).rejects.toMatchObject({ kind: 'unknownUser' })
    await expect(empty.sent).rejects.toMatchObject({ kind: 'invalidInput', issues: [expect.anything()] })
    await fine.sent
    expect(await bob.received(1)).toEqual(['hello'])
    expect(chat.outbox.getSnapshot()).toMatchObject([
      { text: 'who are you?', status: 'failed', error: { kind: 'unknownUser' } },
      { text: ' ', status: 'failed', error: { kind: 'invalidInput' } },
    ])
    expect(chat.conversation('bob').getSnapshot().messages.at(-1)).toMatchObject({ text: ' ', status: 'failed' })

    expect(chat.outbox.cancel(empty.clientMessageId)).toBe(true)
    expect(chat.outbox.cancel(empty.clientMessageId)).toBe(false)
    expect(chat.outbox.retry(fine.clientMessageId)).toBe(false)
    const [zoe] = await world.people('zoe')
    expect(chat.outbox.retry(refused.clientMessageId)).toBe(true)
    expect(await zoe.received(1)).toEqual(['who are you?'])
    await isEmpty(chat)
  })

  test('what is taken back before it has left is never sent', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await using chat = chatOf(ada)
    await chat.send({ to: 'bob', text: 'one' }).sent
    ada.network.cut()
    await shows(
      { getSnapshot: () => chat.client.state, subscribe: chat.client.onState },
      ({ status }) => status === 'offline',
    )
    const two = chat.send({ to: 'bob', text: 'two' })
    chat.send({ to: 'bob', text: 'three' })
    expect(chat.outbox.cancel(two.clientMessageId)).toBe(true)
    await expect(two.sent).rejects.toMatchObject({ kind: 'cancelled' })
    ada.network.restore()
    expect(await bob.received(2)).toEqual(['one', 'three'])
  })

  test('closed, it changes nothing any more: what it has stays for the next program', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const { storage } = sharedStorage()
    const chat = chatOf(ada, { storage })
    ada.network.cut()
    const { clientMessageId } = chat.send({ to: 'bob', text: 'one' })
    await Promise.all([chat.close(), chat.close()])
    chat.client.close()
    expect(chat.outbox.cancel(clientMessageId)).toBe(false)
    expect(chat.outbox.retry(clientMessageId)).toBe(false)
    ada.network.restore()
    await using next = chatOf(ada, { storage })
    expect(await bob.received(1)).toEqual(['one'])
    await isEmpty(next)
  })

  test('what could not be sent for too long has failed, openly, and can be sent again', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    ada.network.cut()
    await using chat = chatOf(ada, { giveUpAfterMs: 50 })
    const late = chat.send({ to: 'bob', text: 'late' })
    await expect(late.sent).rejects.toMatchObject({ kind: 'timedOut' })
    ada.network.restore()
    await shows(
      { getSnapshot: () => chat.client.state, subscribe: chat.client.onState },
      ({ status }) => status === 'live',
    )
    chat.outbox.retry(late.clientMessageId)
    expect(await bob.received(1)).toEqual(['late'])
  })

  test('[P8] it holds what it has while nobody is signed in, and sends nothing for anybody else', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    await using chat = chatOf(ada)
    await chat.send({ to: 'bob', text: 'one' }).sent
    await chat.client.logout()
    expect(chat.client.state.status).toBe('signedOut')
    chat.send({ to: 'bob', text: 'two' })
    await chat.client.login({ username: 'bob', password })
    await chat.client.sendMessage({ to: 'ada', text: 'from bob' })
    await chat.client.logout()
    expect(chat.outbox.getSnapshot()).toMatchObject([{ text: 'two', status: 'sending' }])
    await chat.client.login({ username: 'ada', password })
    expect(await bob.received(2)).toEqual(['one', 'two'])
    await isEmpty(chat)
    const { messages } = await chat.client.history({ conversation: 'bob' })
    expect(messages.map(({ text }) => text)).toEqual(['one', 'from bob', 'two'])
  })

  test('a storage that keeps nothing fails each message openly, and none is sent', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada', 'bob')
    const storage = async () => {
      throw new Error('no room')
    }
    const errors: ChatError[] = []
    await using chat = chatOf(ada, { storage, onError: (error) => errors.push(error) })
    const { sent } = chat.send({ to: 'bob', text: 'hello' })
    await expect(sent).rejects.toMatchObject({ kind: 'notStored', cause: { message: 'no room' } })
    expect(chat.outbox.getSnapshot()).toMatchObject([{ status: 'failed', error: { kind: 'notStored' } }])
    expect(errors).toMatchObject([{ kind: 'notStored', message: 'The outbox cannot be opened: no room' }])
  })

  test('so does one that never opens, and it is closed again when it opens too late', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada', 'bob')
    const memory = await memoryStorage({ url: '', userId: '' })
    let open = () => {}
    const closed = createInbox<true>()
    const storage = () =>
      new Promise<OutboxStorage>((resolve) => {
        open = () => resolve({ ...memory, close: async () => closed.add(true) })
      })
    await using chat = chatOf(ada, { storage })
    await expect(chat.send({ to: 'bob', text: 'hello' }).sent).rejects.toMatchObject({
      kind: 'notStored',
      cause: { message: 'The storage has not answered within 10 s' },
    })
    open()
    await closed.until(() => closed.items.length === 1)
  })

  test('[P2] [P3] two that share a storage, such as tabs, send each message once; when one ends, the other goes on', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const { storage, leaders } = sharedStorage()
    const first = chatOf(ada, { storage })
    await using second = chatOf(ada, { storage })
    for (const text of numbers(20)) {
      const { sent } = (Number(text) % 2 ? first : second).send({ to: 'bob', text })
      // Order is that of each tab; to see one over both, each waits for the one before it.
      await sent
    }
    expect(await bob.received(20)).toEqual(numbers(20))
    expect(leaders()).toBe(1)
    await first[Symbol.asyncDispose]()
    for (const text of ['21', '22']) second.send({ to: 'bob', text })
    expect(await bob.received(22)).toEqual(numbers(22))
    expect(leaders()).toBe(1)
    await isEmpty(second)
    expect((await bob.client.history({ conversation: 'ada', limit: 1 })).messages[0]?.seq).toBe(22)
  })

  test('[P3] of two that share a storage the one that cannot send lets the other lead, and each learns what became of its own', async () => {
    await using world = await startWorld()
    const [ada, bob, cyd] = await world.people('ada', 'bob', 'cyd')
    const { storage, leaders } = sharedStorage()
    // Signed in as somebody else by now.
    await using stranger = createChat(cyd.client, { userId: 'ada', storage })
    await using tab = chatOf(ada, { storage })
    await tab.send({ to: 'bob', text: '1' }).sent
    await stranger.send({ to: 'bob', text: '2' }).sent
    expect(await bob.received(2)).toEqual(['1', '2'])
    await expect(stranger.send({ to: 'nobody', text: '3' }).sent).rejects.toMatchObject({ kind: 'unknownUser' })
    expect(leaders()).toBe(1)
  })

  test('it sees in its own feed what was sent when the answer never came', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const { storage } = sharedStorage()
    const first = chatOf(ada, { storage })
    await using other = chatOf(await world.device('ada'), { storage })
    await first.send({ to: 'bob', text: '1' }).sent
    ada.network.mute()
    first.send({ to: 'bob', text: '2' })
    expect(await bob.received(2)).toEqual(['1', '2'])
    await isEmpty(other)
    await isEmpty(first)
    await first[Symbol.asyncDispose]()
  })
})
