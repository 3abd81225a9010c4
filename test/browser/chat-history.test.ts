import { afterAll, beforeAll, expect } from 'vitest'
import type { Store } from '../../server/domain/ports.ts'
import { browserTest, startBrowser, type TestBrowser } from '../harness/browser.ts'
import { seedConversation } from '../harness/seed.ts'
import { password, startWorld } from '../harness/world.ts'
import { type ChatPage, openChat } from './chat-page.ts'

// Long conversations on the chat page: history that scrolls back for ever, without a hole, a repeat or a jump.

let browser: TestBrowser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.[Symbol.asyncDispose]())

const startWorldWith = async (messages: number) => {
  const stores: Store[] = []
  const world = await startWorld({
    adapt(ports) {
      stores.push(ports.store)
      return ports
    },
  })
  for (const username of ['ada', 'bob']) await world.plain().api.register.mutate({ username, password })
  const [store] = stores as [Store]
  await seedConversation(store, ['ada', 'bob'], messages)
  // What was never delivered would come in all the while.
  const place = { conversationId: 'dm:ada:bob', deliveredSeq: messages, readSeq: 0 }
  await store.advance(['ada', 'bob'].map((userId) => ({ userId, ...place })))
  return world
}

/** Notes for every frame which messages are drawn, and how far they have moved since the frame before. */
const recordFrames = (chat: ChatPage) =>
  chat.page.evaluate(() => {
    const frames: { moves: number[]; seqs: number[]; coversScreen: boolean }[] = []
    let before = new Map<number, number>()
    const log = document.querySelector('.log') as HTMLElement
    const note = () => {
      const screen = log.getBoundingClientRect()
      const now = new Map<number, number>()
      let [top, bottom] = [Number.POSITIVE_INFINITY, 0]
      for (const row of log.querySelectorAll('ol > li')) {
        const rect = row.getBoundingClientRect()
        // Not measured yet, and hidden until then.
        if (getComputedStyle(row).visibility === 'hidden') continue
        const seq = Number(/message (\d+)\./.exec(row.textContent ?? '')?.[1])
        now.set(seq, rect.top)
        top = Math.min(top, rect.top)
        bottom = Math.max(bottom, rect.bottom)
      }
      const moves = Array.from(now, ([seq, y]) => (before.has(seq) ? y - (before.get(seq) ?? 0) : Number.NaN))
      frames.push({
        moves: moves.filter((move) => !Number.isNaN(move)),
        seqs: [...now.keys()],
        coversScreen: top <= screen.top + 1 && bottom >= screen.bottom - 1,
      })
      before = now
      requestAnimationFrame(() => painted.port2.postMessage(null))
    }
    // What a frame came to: between the callback and the painting, rows are measured and moved.
    const painted = new MessageChannel()
    painted.port1.onmessage = note
    painted.port2.postMessage(null)
    Object.assign(window, { frames })
  })
const framesOf = (chat: ChatPage) =>
  chat.page.evaluate(
    () => (window as unknown as { frames: { moves: number[]; seqs: number[]; coversScreen: boolean }[] }).frames,
  )

/** Half a screen for every other frame that is drawn: of a wheel, a busy machine draws several turns as one jump. */
const scrollUp = (chat: ChatPage, steps: number) =>
  chat.log.evaluate(async (log, steps) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
    for (let i = 0; i < steps; i++) {
      log.scrollBy({ top: -350, behavior: 'instant' })
      await frame()
      await frame()
    }
  }, steps)

browserTest(
  '[P3] of 100,000 messages some dozens are drawn; scrolling back is dense, in order and without a jump',
  async () => {
    await using world = await startWorldWith(100_000)
    await using visit = browser.visit()
    const ada = await openChat(visit, world.url, { viewport: { width: 1_000, height: 700 } })
    await ada.signIn('ada')
    await ada.row('bob').click()
    await ada.page
      .getByText(/^message 100000\./)
      .last()
      .waitFor()

    await scrollUp(ada, 100)

    const bob = world.plain((await world.plain().api.login.mutate({ username: 'bob', password })).session.token).api
    await recordFrames(ada)
    const rounds = 5
    for (let i = 1; i <= rounds; i++) {
      await scrollUp(ada, 15)
      // The list grows at both ends.
      await bob.sendMessage.mutate({ to: 'ada', text: `news ${i}` })
    }
    await ada.button(`${rounds} new messages`).waitFor()
    const frames = await framesOf(ada)
    const seen = new Set(frames.flatMap(({ seqs }) => seqs))
    expect(seen.size).toBeGreaterThan(300)
    expect(seen.size).toBe(Math.max(...seen) - Math.min(...seen) + 1)
    for (const { seqs } of frames) expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] ?? 0) + i))
    expect(Math.max(...frames.map(({ seqs }) => seqs.length))).toBeLessThan(80)
    expect(frames.filter(({ coversScreen }) => !coversScreen)).toEqual([])
    // Whoever scrolls back sees the messages move down, all of them by the same way; never up, whatever comes in.
    const moves = frames.map(({ moves }) => [Math.min(...moves), Math.max(...moves)] as const)
    expect(moves.filter(([least, most]) => least < -2 || most - least > 2)).toEqual([])
  },
)

browserTest('a conversation opens at what is new, and is read as far as it was seen', async () => {
  await using world = await startWorldWith(200)
  await using visit = browser.visit()
  const api = async (username: string) =>
    world.plain((await world.plain().api.login.mutate({ username, password })).session.token).api
  const [bob, atAda] = [await api('bob'), await api('ada')]
  await atAda.markRead.mutate({ messageId: 'dm:ada:bob:200' })
  // More than one page of the history.
  for (let i = 1; i <= 90; i++) await bob.sendMessage.mutate({ to: 'ada', text: `news ${i}` })
  const unread = async () => (await atAda.conversations.query()).conversations[0]?.unread

  const ada = await openChat(visit, world.url, { viewport: { width: 1_000, height: 700 } })
  await ada.signIn('ada')
  await ada.row('bob').getByText('90 unread').waitFor()
  await ada.row('bob').click()
  await ada.page.getByText('New messages', { exact: true }).waitFor()
  const screen = await ada.log.boundingBox()
  const first = await ada.page.getByText('news 1', { exact: true }).boundingBox()
  expect((first?.y ?? 0) - (screen?.y ?? 0)).toBeGreaterThan(0)
  expect((first?.y ?? 0) - (screen?.y ?? 0)).toBeLessThan(250)
  await expect.poll(unread).toBeLessThan(90)
  expect(await unread()).toBeGreaterThan(60)

  await ada.page.getByRole('button', { name: 'To the newest message' }).click()
  await ada.shows('news 90')
  await expect.poll(unread).toBe(0)
  await ada.row('bob').getByText('unread').waitFor({ state: 'detached' })
})
