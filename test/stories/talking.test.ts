import { expect, test } from 'vitest'
import type { Message } from '../../server/contract/index.ts'
import { isMessage, isReceipt } from '../harness/plain-client.ts'
import { startWorld } from '../harness/world.ts'

test('two people talk: what one sends, the other sees as it was sent', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')

  const [sent] = await ada.send('bob', 'hello, Bob 👋')
  expect(await bo.received(1)).toEqual(['hello, Bob 👋'])
  await bo.send('ada', 'hello, Ada')
  expect(await ada.received(1)).toEqual(['hello, Ada'])

  expect(sent).toMatchObject({
    id: 'dm:ada:bob:1',
    conversationId: 'dm:ada:bob',
    seq: 1,
    sender: 'ada',
    sentAt: expect.any(Date),
    delivered: false,
    read: false,
  })
})

test('notes to oneself are a conversation of one', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  await ada.send('ada', 'buy milk')
  const { messages } = await ada.client.history({ conversation: 'ada' })
  expect(messages.map(({ conversationId, text }) => [conversationId, text])).toEqual([['dm:ada:ada', 'buy milk']])
})

test('[P2] [P3] a hundred at once: both see all of them, each once, in one order', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  const numbers = Array.from({ length: 50 }, (_, i) => i)
  await Promise.all([
    ...numbers.map((i) => ada.client.sendMessage({ to: 'bob', text: `a${i}` })),
    ...numbers.map((i) => bo.client.sendMessage({ to: 'ada', text: `b${i}` })),
  ])
  const [atAda, atBo] = await Promise.all([ada.inbox.some(100, anyMessage), bo.inbox.some(100, anyMessage)])
  expect(atAda.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
  expect(atBo.map(({ id, text }) => [id, text])).toEqual(atAda.map(({ id, text }) => [id, text]))
})

test('[P3] a message sent after another was acknowledged comes after it', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  for (let round = 1; round <= 10; round++) {
    const [first] = await ada.send('bob', `question ${round}`)
    const [second] = await bo.send('ada', `answer ${round}`)
    expect(second?.seq).toBe((first?.seq ?? 0) + 1)
  }
})

test('[P2] every device of both sees every message once', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  const phone = await world.device('ada')
  await ada.send('bob', 'from the desk')
  await phone.send('bob', 'from the phone')
  for (const device of [ada, phone, bo]) {
    expect((await device.inbox.some(2, anyMessage)).map(({ text }) => text)).toEqual([
      'from the desk',
      'from the phone',
    ])
  }
})

test('[P2] a plain tRPC client sees the same', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  const plain = world.plain(bo.token)
  const inbox = plain.follow()
  await inbox.some(1, (event): event is typeof event => event.type === 'ready')
  await ada.send('bob', 'one', 'two')
  const events = await inbox.some(2, isMessage)
  expect(events.map(({ message }) => message.text)).toEqual(['one', 'two'])
  expect(events[0]?.message.sentAt).toBeInstanceOf(Date)
})

test('[P4] the same clientMessageId again returns the first message; with other content it is a conflict', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  const draft = { to: 'bob', text: 'only once', clientMessageId: 'draft-1' }
  const [first, ...repeats] = await Promise.all([1, 2, 3].map(() => ada.client.sendMessage(draft)))
  for (const repeat of repeats) expect(repeat.id).toBe(first?.id)
  await expect(ada.client.sendMessage({ ...draft, text: 'something else' })).rejects.toMatchObject({ kind: 'conflict' })
  // The id is Ada's own: Bob may use the same.
  await expect(bo.client.sendMessage({ ...draft, to: 'ada', text: 'mine' })).resolves.toMatchObject({ seq: 2 })
  expect(await bo.received(1)).toEqual(['only once'])
})

const anyMessage = (_message: Message): _message is Message => true

test('[P4] what is sent again long after it was received comes to nobody again', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  const send = (text: string) => ada.client.sendMessage({ to: 'bob', text, clientMessageId: text })
  // Before there is anything to tell of: what was told earlier is not told again.
  const receipts = world.plain(ada.token).follow()
  await receipts.first((event): event is typeof event => event.type === 'caughtUp')
  await send('old')
  await bob.received(1)
  await receipts.first((event): event is typeof event => isReceipt(event) && event.receipt.deliveredSeq === 1)
  const inbox = world.plain(bob.token).follow()
  await inbox.first((event): event is typeof event => event.type === 'caughtUp')
  await send('old')
  await send('new')
  await inbox.some(1, isMessage)
  expect(inbox.items.filter(isMessage).map(({ message }) => message.text)).toEqual(['new'])
})
