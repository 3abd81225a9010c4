import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createChat, createClient, type FeedEvent } from '../../client-sdk/src/node.ts'
import { createInbox } from '../harness/plain-client.ts'
import { startWorld, type World } from '../harness/world.ts'

// A backup is restored, and messages are gone that clients have seen. What is said from then on takes their numbers, and
// must reach those who had them all the same.

const stopped = async ({ app, config }: World, work: (directory: string) => Promise<void>) => {
  await app[Symbol.asyncDispose]()
  await work(config.dataDirectory)
}
/** Takes a backup of the store, while it is stopped. */
const backUp = async (world: World) => {
  await stopped(world, (directory) => cp(join(directory, 'parley.db'), join(directory, 'backup')))
  await world.restart()
}
const restore = async (world: World) => {
  await stopped(world, async (directory) => {
    for (const file of ['parley.db', 'parley.db-wal', 'parley.db-shm']) await rm(join(directory, file), { force: true })
    await cp(join(directory, 'backup'), join(directory, 'parley.db'))
  })
  await world.restart()
}

const textsOf = (events: FeedEvent[]) =>
  events.flatMap((event) => (event.type === 'message' ? [`${event.message.seq} ${event.message.text}`] : []))

test('[P5] what is said after a backup was restored reaches who was there, who comes back, and who looks at it', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  const follow = async (events: ReturnType<typeof createInbox<FeedEvent>>, cursor?: string) => {
    for await (const event of bob.client.events({ cursor })) events.add(event)
  }
  const [live, later] = [createInbox<FeedEvent>(), createInbox<FeedEvent>()]
  follow(live).catch(live.fail)
  await live.until(() => live.items.length > 0)
  await using chat = createChat(bob.client, { userId: 'bob' })
  const view = chat.conversation('ada')
  view.subscribe(() => {})
  chat.conversations.subscribe(() => {})
  const shown = () => view.getSnapshot().messages.map(({ seq, text, status }) => `${seq} ${text} ${status}`)

  await ada.send('bob', 'one', 'two')
  await bob.send('ada', 'three')
  await backUp(world)
  await ada.send('bob', 'lost')
  await bob.send('ada', 'lost too')
  await expect.poll(() => textsOf(live.items)).toHaveLength(5)
  view.markRead()
  await ada.client.markRead({ messageId: 'dm:ada:bob:5' })
  await expect.poll(() => shown().at(-1)).toBe('5 lost too read')
  const { cursor } = live.items.at(-1) as FeedEvent
  await restore(world)

  await bob.send('ada', 'four')
  await ada.send('bob', 'five')
  await expect.poll(() => textsOf(live.items).slice(5)).toEqual(['4 four', '5 five'])
  expect(live.items.filter(({ type }) => type === 'rewound')).toEqual([
    { type: 'rewound', conversationId: 'dm:ada:bob', afterSeq: 3, cursor: expect.any(String) },
  ])
  const now = ['1 one received', '2 two received', '3 three delivered', '4 four delivered', '5 five received']
  await expect.poll(shown).toEqual(now)
  await expect
    .poll(() => chat.conversations.getSnapshot().conversations[0])
    .toMatchObject({
      lastMessage: { text: 'five' },
      unread: 3,
    })
  follow(later, cursor).catch(later.fail)
  await expect.poll(() => textsOf(later.items)).toEqual(['4 four', '5 five'])
})

test('[P5] so does what is too much to be replayed', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  await ada.send('bob', 'one')
  await backUp(world)
  await ada.send('bob', 'lost', 'lost too')
  expect(await bob.received(3)).toEqual(['one', 'lost', 'lost too'])
  bob.network.cut()
  await restore(world)
  const texts = Array.from({ length: 1_100 }, (_, i) => `${i}`)
  // What is sent at once, to somebody who is not known yet, may come in any order.
  await ada.send('bob', texts[0] ?? '')
  for (const part of [texts.slice(1, 600), texts.slice(600)]) {
    await Promise.all(part.map((text) => ada.client.sendMessage({ to: 'bob', text })))
  }
  bob.network.restore()
  expect((await bob.received(1_103)).slice(3)).toEqual(texts)
})

test('[P5] a page that had read the history, and heard nothing, sees what is said', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  await ada.send('bob', 'one')
  await backUp(world)
  await ada.send('bob', 'lost')
  expect(await bob.received(2)).toEqual(['one', 'lost'])
  await using page = createClient({ url: world.url, token: bob.token })
  await using chat = createChat(page, { userId: 'bob' })
  const view = chat.conversation('ada')
  view.subscribe(() => {})
  const shown = () => view.getSnapshot().messages.map(({ text }) => text)
  await expect.poll(shown).toEqual(['one', 'lost'])
  await restore(world)
  await ada.send('bob', 'two')
  await expect.poll(shown).toEqual(['one', 'two'])
})

test('[P5] [P6] [P11] where nobody says anything after a backup was restored, views show what there is, without being opened anew', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  await ada.send('bob', 'one')
  await backUp(world)
  await using chat = createChat(bob.client, { userId: 'bob' })
  const [view, notes] = [chat.conversation('ada'), chat.conversation('bob')]
  for (const each of [view, notes, chat.conversations]) each.subscribe(() => {})
  const shown = () =>
    [view, notes].flatMap((each) => each.getSnapshot().messages.map(({ text, status }) => [text, status]))
  const listed = () =>
    chat.conversations.getSnapshot().conversations.map(({ id, lastMessage, unread }) => [id, lastMessage?.text, unread])
  await ada.send('bob', 'lost')
  await view.send('lost too').sent
  await notes.send('a lost note').sent
  await ada.client.markRead({ messageId: 'dm:ada:bob:3' })
  const texts = () => shown().map(([text]) => text)
  await expect.poll(texts).toEqual(['one', 'lost', 'lost too', 'a lost note'])
  await expect.poll(() => shown()[2]).toEqual(['lost too', 'read'])
  await restore(world)
  await expect.poll(shown).toEqual([['one', 'received']])
  await expect.poll(listed).toEqual([['dm:ada:bob', 'one', 1]])
})
