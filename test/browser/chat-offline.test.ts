import { afterAll, beforeAll, expect } from 'vitest'
import { ChatError } from '../../server/contract/index.ts'
import type { Ports } from '../../server/domain/ports.ts'
import { browserTest, startBrowser, type TestBrowser } from '../harness/browser.ts'
import { startWorld } from '../harness/world.ts'
import { chatAt, openBehindNetwork, openChat, tryNow } from './chat-page.ts'

// What becomes of messages on the chat page when the network, the server or the page itself goes away.

let browser: TestBrowser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.[Symbol.asyncDispose]())

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `message ${from + i}`)

browserTest(
  '[P2] [P5] [P6] cut off, one writes on and the other too; back again both have everything, once',
  async () => {
    await using world = await startWorld()
    await using visit = browser.visit()
    const { chat: ada, network } = await openBehindNetwork(world, visit)
    const bob = await openChat(visit, world.url)
    await ada.signUp('ada')
    await bob.signUp('bob')
    await ada.start('bob')
    await bob.start('ada')
    await ada.say('before')
    await ada.reaches('before', 'read')

    network.cut()
    await ada.page.getByRole('status').getByText('No connection.').waitFor()
    await ada.page.getByText(/^Next attempt in \d+ s$/).waitFor()
    await ada.say('from ada 1', 'from ada 2')
    await bob.say('from bob 1', 'from bob 2')
    await bob.reaches('from bob 2', 'sent')
    await ada.page.getByRole('status').getByText('2 messages wait to be sent.').waitFor()
    expect(await ada.statuses('from ada 1')).toEqual(['sending'])
    // It shows where it belongs in the list as well.
    await expect.poll(() => ada.row('bob').innerText()).toContain('from ada 2')
    await ada.say('taken back')
    await ada.messages.filter({ hasText: 'taken back' }).getByRole('button', { name: 'Take back' }).click()
    await ada.page.getByText('taken back').first().waitFor({ state: 'detached' })

    network.restore()
    await tryNow(ada)
    await ada.page.getByRole('status').getByText('No connection.').waitFor({ state: 'detached' })
    await ada.reaches('from ada 2', 'read')
    await bob.reaches('from bob 2', 'read')
    const all = ['before', 'from bob 1', 'from bob 2', 'from ada 1', 'from ada 2']
    await expect.poll(() => ada.texts()).toEqual(all)
    await expect.poll(() => bob.texts()).toEqual(all)
  },
)

browserTest('[P6] what comes in above own messages that were acknowledged before it is read as well', async () => {
  await using world = await startWorld()
  await using visit = browser.visit()
  const [bob] = await world.people('bob')
  const ada = chatAt(await visit.open('about:blank'))
  // Events can be held back; answers go on.
  const held: (() => void)[] = []
  let isHolding = false
  await ada.page.routeWebSocket(/trpc/, (socket) => {
    socket.connectToServer().onMessage((frame) => {
      const pass = () => socket.send(frame)
      if (isHolding && String(frame).includes('"type":"message"')) held.push(pass)
      else pass()
    })
  })
  await ada.page.goto(world.url)
  await ada.signUp('ada')
  await ada.start('bob')
  await ada.say('before')
  await ada.reaches('before', 'delivered')

  isHolding = true
  await bob.client.sendMessage({ to: 'ada', text: 'from bob' })
  await ada.say('from ada')
  expect(await bob.received(2)).toEqual(['before', 'from ada'])
  // Its place is behind one that is missing here.
  expect(await ada.statuses('from ada')).toEqual(['sending'])
  isHolding = false
  expect(held.length).toBeGreaterThan(0)
  for (const pass of held) pass()
  await expect
    .poll(async () => (await bob.client.conversations()).conversations[0]?.receipts)
    .toContainEqual(expect.objectContaining({ userId: 'ada', readSeq: 2 }))
  expect(await ada.texts()).toEqual(['before', 'from bob', 'from ada'])
})

browserTest('[P2] [P3] a reload with a full outbox loses nothing, doubles nothing and keeps the order', async () => {
  await using world = await startWorld()
  await using visit = browser.visit()
  const [bob] = await world.people('bob')
  const { chat: ada, network } = await openBehindNetwork(world, visit)
  await ada.signUp('ada')
  await ada.start('bob')
  await ada.say('message 0')
  await ada.reaches('message 0', 'delivered')
  network.cut()
  await ada.say(...numbers(1, 60))
  await ada.page.getByRole('status').getByText('60 messages wait to be sent.').waitFor()

  network.restore()
  await ada.page.reload()
  expect(await bob.received(61)).toEqual(numbers(0, 60))
  await ada.reaches('message 60', 'delivered')
  expect((await ada.texts()).slice(-5)).toEqual(numbers(56, 60))
  const { messages } = await bob.client.history({ conversation: 'ada', limit: 100 })
  expect(messages.map(({ text }) => text)).toEqual(numbers(0, 60))
})

browserTest(
  '[P2] [P4] two tabs share one outbox: each message reaches the server once, whichever tab goes',
  async () => {
    const sends: string[] = []
    const counted = (ports: Ports): Ports => ({
      ...ports,
      store: {
        ...ports.store,
        append(draft) {
          sends.push(draft.text)
          return ports.store.append(draft)
        },
      },
    })
    await using world = await startWorld({ adapt: counted })
    await using visit = browser.visit()
    const [bob] = await world.people('bob')
    const { chat: first, network } = await openBehindNetwork(world, visit)
    await first.signUp('ada')
    await first.start('bob')
    const second = chatAt(await visit.beside(first.page, `${network.url}/#/with/bob`))
    await second.composer.waitFor()
    await second.page.getByText('Say hello to bob.').waitFor()

    network.cut()
    await first.page.getByRole('status').getByText('No connection.').waitFor()
    await second.page.getByRole('status').getByText('No connection.').waitFor()
    await first.say(...numbers(1, 10))
    await second.shows('message 10')
    await second.say(...numbers(11, 20))
    await first.shows('message 20')
    // The tab that was first holds the lead; the other one takes it over.
    await first.page.close()
    network.restore()
    await tryNow(second)
    expect(await bob.received(20)).toEqual(numbers(1, 20))
    await second.reaches('message 20', 'delivered')
    expect(sends).toEqual(numbers(1, 20))
  },
)

browserTest('what the server refuses says why, and can be tried again or deleted', async () => {
  const refused = new Set(['once more', 'never'])
  const refusing = (ports: Ports): Ports => ({
    ...ports,
    store: {
      ...ports.store,
      async append(draft) {
        if (refused.has(draft.text)) throw new ChatError('notMember')
        return ports.store.append(draft)
      },
    },
  })
  await using world = await startWorld({ adapt: refusing })
  await using visit = browser.visit()
  await world.people('bob')
  const ada = await openChat(visit, world.url)
  await ada.signUp('ada')
  await ada.start('bob')
  // What had failed before is not told as news.
  await ada.page.getByText('Say hello to bob.').waitFor()
  await ada.say('once more', 'never', 'fine')
  await ada.reaches('once more', 'failed')
  await ada.reaches('never', 'failed')
  await ada.reaches('fine', 'delivered')
  const failed = (text: string) => ada.messages.filter({ hasText: text })
  await failed('once more').getByText('You are not a member of this conversation.').waitFor()
  await expect.poll(() => ada.page.getByRole('log').innerText()).toContain('Not sent: once more')

  refused.delete('once more')
  await ada.page.reload()
  await failed('once more').getByRole('button', { name: 'Try again' }).click()
  await ada.reaches('once more', 'delivered')
  await failed('never').getByRole('button', { name: 'Delete' }).click()
  await failed('never').waitFor({ state: 'detached' })
  expect(await ada.texts()).toEqual(['fine', 'once more'])
})

browserTest('opened without a connection, the page says so, takes what is written, and goes on by itself', async () => {
  await using world = await startWorld()
  await using visit = browser.visit()
  const [bob] = await world.people('bob')
  const ada = await openChat(visit, world.url)
  await ada.signUp('ada')
  await ada.start('bob')
  await ada.say('one')
  await ada.reaches('one', 'delivered')
  visit.expect(/net::ERR_FAILED/)
  // The page itself comes, as from a cache; nothing that it asks for does.
  let isDown = true
  await ada.page.routeWebSocket(/trpc/, (socket) => {
    if (isDown) void socket.close()
    else socket.connectToServer()
  })
  await ada.page.route(/\/trpc/, (route) => (isDown ? route.abort() : route.continue()))
  await ada.page.reload()
  await ada.page.getByText('The messages come with the connection.').waitFor()
  await ada.page.getByRole('status').getByText('No connection.').waitFor()
  await ada.say('two')
  await ada.shows('two')
  await ada.page.getByRole('status').getByText('One message waits to be sent.').waitFor()

  // Signing out says what would be left behind.
  await ada.button('Sign out').click()
  await ada.page.getByRole('alert').getByText('One message has not been sent.').waitFor()
  await ada.page.getByRole('alert').getByRole('button', { name: 'Sign out' }).click()
  await ada.button('Sign in').waitFor()
  isDown = false
  await ada.signIn('ada')
  expect(await bob.received(2)).toEqual(['one', 'two'])
})
