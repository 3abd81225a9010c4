import { expect, test } from 'vitest'
import type { ChatEvent } from '../../server/contract/index.ts'
import { isReceipt } from '../harness/plain-client.ts'
import { startWorld } from '../harness/world.ts'

const isReceiptOf =
  (username: string, fits: (receipt: { deliveredSeq: number; readSeq: number }) => boolean) =>
  (event: ChatEvent): event is Extract<ChatEvent, { type: 'receipt' }> =>
    isReceipt(event) && event.receipt.username === username && fits(event.receipt)

test('[P6] sent, delivered, read: Ada learns how far Bo is', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bo')
  const adas = world.plain(ada.token).follow({ ack: 'client' })
  bo.network.cut()
  const [message] = await ada.send('bo', 'are you there?')
  const flags = async () => {
    const page = await ada.client.history({ conversation: 'bo' })
    return page.messages.map(({ delivered, read }) => ({ delivered, read }))
  }
  expect(await flags()).toEqual([{ delivered: false, read: false }])

  bo.network.restore()
  await adas.first(isReceiptOf('bo', ({ deliveredSeq, readSeq }) => deliveredSeq === 1 && readSeq === 0))
  expect(await flags()).toEqual([{ delivered: true, read: false }])

  const receipt = await bo.client.markRead({ messageId: message?.id ?? '' })
  expect(receipt).toMatchObject({ username: 'bo', deliveredSeq: 1, readSeq: 1 })
  await adas.first(isReceiptOf('bo', ({ readSeq }) => readSeq === 1))
  expect(await flags()).toEqual([{ delivered: true, read: true }])
})

test('[P6] with ack: server a message is delivered when the plain client was handed it', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bo')
  bo.client.close()
  await ada.send('bo', 'hello')
  const adas = world.plain(ada.token).follow({ ack: 'client' })
  world.plain(bo.token).follow({ ack: 'server' })
  await adas.first(isReceiptOf('bo', ({ deliveredSeq }) => deliveredSeq === 1))
})

test('[P6] receipts only move forward, and read implies delivered', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bo')
  bo.network.cut()
  const sent = await ada.send('bo', '1', '2', '3')
  const { api } = world.plain(bo.token)
  expect(await api.markRead.mutate({ messageId: sent[1]?.id ?? '' })).toMatchObject({ deliveredSeq: 2, readSeq: 2 })
  expect(await api.markRead.mutate({ messageId: sent[0]?.id ?? '' })).toMatchObject({ deliveredSeq: 2, readSeq: 2 })
  expect(await api.markDelivered.mutate([{ conversationId: 'dm:ada:bo', seq: 3 }])).toMatchObject([
    { username: 'bo', deliveredSeq: 3, readSeq: 2 },
  ])
  expect(await api.markDelivered.mutate([{ conversationId: 'dm:ada:bo', seq: 1 }])).toEqual([])
})

test('[P6] nobody reads for another: Ada marks her own receipt, never that of Bo', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bo')
  const [message] = await ada.send('bo', 'hello')
  await bo.received(1)
  await ada.client.markRead({ messageId: message?.id ?? '' })
  const { conversations } = await ada.client.conversations()
  const of = (username: string) => conversations[0]?.receipts.find((receipt) => receipt.username === username)
  expect(of('ada')?.readSeq).toBe(1)
  expect(of('bo')?.readSeq).toBe(0)
})

test('a receipt beyond the last message is refused, and moves nothing', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bo')
  await ada.send('bo', 'hello')
  await bo.received(1)
  const marks = [
    { conversationId: 'dm:ada:bo', seq: 1 },
    { conversationId: 'dm:ada:bo', seq: 99 },
  ]
  await expect(bo.client.markDelivered(marks)).rejects.toMatchObject({ kind: 'unknownMessage' })
  await expect(bo.client.markRead({ messageId: 'dm:ada:bo:2' })).rejects.toMatchObject({ kind: 'unknownMessage' })
})

test('conversations: newest first, with last message, unread count and receipts, in pages', async () => {
  await using world = await startWorld()
  const [ada, bo, cy, di] = await world.people('ada', 'bo', 'cy', 'di')
  for (const friend of [bo, cy, di]) await friend.send('ada', 'hi', `I am ${friend.name}`)
  await bo.send('ada', 'me again')

  const first = await ada.client.conversations({ limit: 2 })
  expect(first.conversations.map(({ id, unread }) => [id, unread])).toEqual([
    ['dm:ada:bo', 3],
    ['dm:ada:di', 2],
  ])
  expect(first.conversations[0]).toMatchObject({
    kind: 'direct',
    members: ['ada', 'bo'],
    lastMessage: { text: 'me again', seq: 3 },
  })
  const second = await ada.client.conversations({ limit: 2, cursor: first.nextCursor ?? '' })
  expect(second.conversations.map(({ id }) => id)).toEqual(['dm:ada:cy'])
  expect(second.nextCursor).toBeNull()

  await ada.client.markRead({ messageId: 'dm:ada:bo:2' })
  await ada.send('bo', 'hello')
  const after = await ada.client.conversations()
  expect(after.conversations.map(({ id, unread }) => [id, unread])[0]).toEqual(['dm:ada:bo', 1])
})
