import { expect, test } from 'vitest'
import { readCursor } from '../../client-sdk/src/events/cursor.ts'
import { createClient } from '../../client-sdk/src/node.ts'
import { createTestClock } from '../harness/clock.ts'
import { isMessage } from '../harness/plain-client.ts'
import { startWorld } from '../harness/world.ts'

test('[P5] Bob reads what Ada sent while he was away, once and in order', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  await ada.send('bob', 'zero')
  await bo.received(1)
  bo.network.cut()
  await ada.send('bob', 'one', 'two')
  bo.network.restore()
  expect(await bo.received(3)).toEqual(['zero', 'one', 'two'])
  await ada.send('bob', 'three')
  expect(await bo.received(4)).toEqual(['zero', 'one', 'two', 'three'])
})

test('[P5] somebody who was never there gets all that was sent to her, at her first sign-in', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  bo.client.close()
  await ada.send('bob', ...Array.from({ length: 450 }, (_, i) => `${i}`))
  const plain = world.plain(bo.token)
  const inbox = plain.follow()
  const events = await inbox.some(450, isMessage)
  expect(inbox.items[0]).toEqual({ type: 'ready', replay: 'complete' })
  expect(events.map(({ message }) => message.seq)).toEqual(Array.from({ length: 450 }, (_, i) => i + 1))
})

test('[P5] after a restart of the server everything goes on where it was', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  await ada.send('bob', 'before')
  await bo.received(1)
  const { port } = new URL(world.url)
  await world.restart()
  expect(new URL(world.url).port).toBe(port)
  await ada.send('bob', 'after')
  expect(await bo.received(2)).toEqual(['before', 'after'])
})

test('[P5] a cursor from before goes on behind it, in another process as well', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  const events = bo.client.events()
  await events.next()
  await ada.send('bob', 'one', 'two', 'three')
  let cursor = ''
  for await (const event of events) {
    if (event.type !== 'message' || event.message.text !== 'two') continue
    cursor = event.cursor
    break
  }
  const seen: string[] = []
  for await (const event of bo.client.events({ cursor })) {
    if (event.type !== 'message') continue
    seen.push(event.message.text)
    break
  }
  expect(seen).toEqual(['three'])
})

/** What the server gave out, of a cursor of the SDK's. */
const serverCursor = (cursor: string) => readCursor(cursor).lastEventId

test('[P5] cut among what was undelivered, the feed goes on among it: what was delivered long ago does not come again', async () => {
  await using world = await startWorld()
  const [ada, bo, cy] = await world.people('ada', 'bob', 'cyd')
  bo.client.close()
  await ada.send('bob', 'one')
  const [old] = await cy.send('bob', 'had long ago')
  await ada.send('bob', 'two')
  const plain = world.plain(bo.token)
  await plain.api.markDelivered.mutate([{ conversationId: old?.conversationId ?? '', seq: 1 }])

  const again = createClient({ url: world.url, token: bo.token })
  let cursor = ''
  for await (const event of again.events()) {
    cursor = event.cursor
    if (event.type === 'message') break
  }
  const inbox = plain.follow({ lastEventId: serverCursor(cursor), ack: 'client' })
  await inbox.until(() => inbox.items.some(({ type }) => type === 'caughtUp'))
  expect(inbox.items.filter(isMessage).map(({ message }) => message.text)).toEqual(['two'])
  again.close()
})

test('[P5] more missed than is replayed: the feed says reset, names the place in the conversation, and replays the others', async () => {
  await using world = await startWorld()
  const [ada, bo, cy] = await world.people('ada', 'bob', 'cyd')
  const live = bo.client.events()
  await live.next()
  await ada.send('bob', 'first')
  let cursor = ''
  for await (const event of live) {
    cursor = event.cursor
    if (event.type === 'message') break
  }
  bo.client.close()
  for (const part of [500, 501]) {
    await Promise.all(Array.from({ length: part }, (_, i) => ada.client.sendMessage({ to: 'bob', text: `${i}` })))
  }
  await cy.send('bob', 'only one')

  const plain = world.plain(bo.token)
  const inbox = plain.follow({ lastEventId: serverCursor(cursor) })
  const [missed] = await inbox.some(1, isMessage)
  expect(inbox.items[0]).toEqual({
    type: 'ready',
    replay: 'reset',
    conversations: [{ conversationId: 'dm:ada:bob', afterSeq: 1 }],
  })
  expect(missed?.message.text).toBe('only one')
  await ada.send('bob', 'now')
  const events = await inbox.some(2, isMessage)
  expect(events[1]?.message).toMatchObject({ text: 'now', seq: 1_003 })
})

test('[P5] a bus that loses every event: the feeds find out from the store within 30 s', async () => {
  const clock = createTestClock()
  await using world = await startWorld({
    clock,
    adapt: (ports) => ({ ...ports, bus: { ...ports.bus, publish() {} } }),
  })
  const [ada, bo] = await world.people('ada', 'bob')
  const plain = world.plain(bo.token)
  const inbox = plain.follow()
  await inbox.some(1, (event): event is typeof event => event.type === 'ready')
  await ada.send('bob', 'lost on the way')
  clock.advance(30_000)
  const [event] = await inbox.some(1, isMessage)
  expect(event?.message.text).toBe('lost on the way')
})

test('[P5] a bus that loses every third event: the hole is seen and filled', async () => {
  let count = 0
  await using world = await startWorld({
    adapt: (ports) => ({
      ...ports,
      bus: {
        ...ports.bus,
        publish(audience, change) {
          if (change.kind === 'message' && ++count % 3 === 2) return
          ports.bus.publish(audience, change)
        },
      },
    }),
  })
  const [ada, bo] = await world.people('ada', 'bob')
  const texts = Array.from({ length: 30 }, (_, i) => `${i}`)
  await ada.send('bob', ...texts)
  expect(await bo.received(30)).toEqual(texts)
})
