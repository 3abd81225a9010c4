import { expect, test } from 'vitest'
import type { ChatEvent } from '../../server/contract/index.ts'
import { isReceipt } from '../harness/plain-client.ts'
import { startWorld } from '../harness/world.ts'

const isReceiptOf =
  (userId: string, fits: (receipt: { deliveredSeq: number; readSeq: number }) => boolean) =>
  (event: ChatEvent): event is Extract<ChatEvent, { type: 'receipt' }> =>
    isReceipt(event) && event.receipt.userId === userId && fits(event.receipt)

test('[P6] sent, delivered, read: Ada learns how far Bob is', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  const adas = world.plain(ada.token).follow({ ack: 'client' })
  bo.network.cut()
  const [message] = await ada.send('bob', 'are you there?')
  const flags = async () => {
    const page = await ada.client.history({ conversation: 'bob' })
    return page.messages.map(({ delivered, read }) => ({ delivered, read }))
  }
  expect(await flags()).toEqual([{ delivered: false, read: false }])

  bo.network.restore()
  await adas.first(isReceiptOf('bob', ({ deliveredSeq, readSeq }) => deliveredSeq === 1 && readSeq === 0))
  expect(await flags()).toEqual([{ delivered: true, read: false }])

  const receipt = await bo.client.markRead({ messageId: message?.id ?? '' })
  expect(receipt).toMatchObject({ userId: 'bob', deliveredSeq: 1, readSeq: 1 })
  await adas.first(isReceiptOf('bob', ({ readSeq }) => readSeq === 1))
  expect(await flags()).toEqual([{ delivered: true, read: true }])
})

test('[P6] with ack: server a message is delivered when the plain client was handed it', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  bo.client.close()
  await ada.send('bob', 'hello')
  const adas = world.plain(ada.token).follow({ ack: 'client' })
  world.plain(bo.token).follow({ ack: 'server' })
  await adas.first(isReceiptOf('bob', ({ deliveredSeq }) => deliveredSeq === 1))
})

test('[P6] receipts only move forward, and read implies delivered', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  bo.network.cut()
  const sent = await ada.send('bob', '1', '2', '3')
  const { api } = world.plain(bo.token)
  expect(await api.markRead.mutate({ messageId: sent[1]?.id ?? '' })).toMatchObject({ deliveredSeq: 2, readSeq: 2 })
  expect(await api.markRead.mutate({ messageId: sent[0]?.id ?? '' })).toMatchObject({ deliveredSeq: 2, readSeq: 2 })
  expect(await api.markDelivered.mutate([{ conversationId: 'dm:ada:bob', seq: 3 }])).toMatchObject([
    { userId: 'bob', deliveredSeq: 3, readSeq: 2 },
  ])
  expect(await api.markDelivered.mutate([{ conversationId: 'dm:ada:bob', seq: 1 }])).toEqual([])
})

test('[P6] nobody reads for another: Ada marks her own receipt, never that of Bob', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  const [message] = await ada.send('bob', 'hello')
  await bo.received(1)
  await ada.client.markRead({ messageId: message?.id ?? '' })
  const { conversations } = await ada.client.conversations()
  const of = (userId: string) => conversations[0]?.receipts.find((receipt) => receipt.userId === userId)
  expect(of('ada')?.readSeq).toBe(1)
  expect(of('bob')?.readSeq).toBe(0)
})

test('a receipt beyond the last message is refused, and moves nothing', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  await ada.send('bob', 'hello')
  await bo.received(1)
  const marks = [
    { conversationId: 'dm:ada:bob', seq: 1 },
    { conversationId: 'dm:ada:bob', seq: 99 },
  ]
  await expect(bo.client.markDelivered(marks)).rejects.toMatchObject({ kind: 'unknownMessage' })
  await expect(bo.client.markRead({ messageId: 'dm:ada:bob:2' })).rejects.toMatchObject({ kind: 'unknownMessage' })
})

test('conversations: newest first, with last message, unread count and receipts, in pages', async () => {
  await using world = await startWorld()
  const [ada, bo, cy, di] = await world.people('ada', 'bob', 'cyd', 'dia')
  for (const friend of [bo, cy, di]) await friend.send('ada', 'hi', `I am ${friend.name}`)
  await bo.send('ada', 'me again')

  const first = await ada.client.conversations({ limit: 2 })
  expect(first.conversations.map(({ id, unread }) => [id, unread])).toEqual([
    ['dm:ada:bob', 3],
    ['dm:ada:dia', 2],
  ])
  expect(first.conversations[0]).toMatchObject({
    kind: 'direct',
    members: [{ userId: 'ada' }, { userId: 'bob' }],
    lastMessage: { text: 'me again', seq: 3 },
  })
  const second = await ada.client.conversations({ limit: 2, cursor: first.nextCursor ?? '' })
  expect(second.conversations.map(({ id }) => id)).toEqual(['dm:ada:cyd'])
  expect(second.nextCursor).toBeNull()

  await ada.client.markRead({ messageId: 'dm:ada:bob:2' })
  await ada.send('bob', 'hello')
  const after = await ada.client.conversations()
  expect(after.conversations.map(({ id, unread }) => [id, unread])[0]).toEqual(['dm:ada:bob', 1])
})
