import { once } from 'node:events'
import type { Page } from 'playwright-core'
import { createClient } from '../../client-sdk/src/node.ts'
import type { Store } from '../../server/domain/ports.ts'
import { type ChatPage, openChat } from '../browser/chat-page.ts'
import { startBrowser } from '../harness/chromium.ts'
import { seedConversation } from '../harness/seed.ts'
import { password, startWorld } from '../harness/world.ts'

/**
 * From the click on Send to the text on the other browser's screen, beside what the SDK alone takes from send to the
 * other one's `messages()` in Node, in turn; and what scrolling through a long conversation costs.
 *
 *   npm run build && npm run build:sdk && npm run build:web && node dist/test/bench/browser.js [--messages 60] [--history 20000]
 */
const option = (name: string, standard: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? standard : Number(process.argv[at + 1])
}
const messages = option('messages', 60)
const history = option('history', 20_000)
/** The first ones warm up what runs. */
const warmUp = 10

const say = (line: string) => void process.stdout.write(`${line}\n`)
const part = (times: number[], share: number) => times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? 0
const sum = (times: number[]) => `p50 ${part(times, 0.5).toFixed(1)} ms, p95 ${part(times, 0.95).toFixed(1)} ms`

const stores: Store[] = []
await using world = await startWorld({
  adapt(ports) {
    stores.push(ports.store)
    return ports
  },
})
await using browser = await startBrowser()
await using visit = browser.visit()

/** Tells when a click has come, or when a text has been painted, by the clock that all pages of a machine share. */
const watch = (page: Page) =>
  page.evaluate(() => {
    const now = () => performance.timeOrigin + performance.now()
    const clicks: number[] = []
    const painted = new Map<string, number>()
    addEventListener('click', () => clicks.push(now()), { capture: true })
    const note = () => {
      for (const text of document.querySelectorAll('.message .text')) {
        const words = text.textContent ?? ''
        if (painted.has(words)) continue
        painted.set(words, 0)
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel()
          // Behind the frame's painting.
          port1.onmessage = () => painted.set(words, now())
          port2.postMessage(null)
        })
      }
    }
    new MutationObserver(note).observe(document.body, { childList: true, subtree: true, characterData: true })
    Object.assign(window, { clicks, painted })
  })
interface Watched {
  clicks: number[]
  painted: Map<string, number>
}

const acrossBrowsers = async (from: ChatPage, to: ChatPage, text: string): Promise<number> => {
  await from.composer.fill(text)
  await from.button('Send').click()
  await to.shows(text)
  const clicked = await from.page.evaluate(() => (window as unknown as Watched).clicks.at(-1) ?? 0)
  for (;;) {
    const at = await to.page.evaluate((text) => (window as unknown as Watched).painted.get(text) ?? 0, text)
    if (at > 0) return at - clicked
    await to.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)))
  }
}

const [ada, bob] = [await openChat(visit, world.url), await openChat(visit, world.url)]
await ada.signUp('ada')
await bob.signUp('bob')
await ada.start('bob')
await bob.start('ada')
await Promise.all([watch(ada.page), watch(bob.page)])

const [cyd, dan] = [createClient({ url: world.url }), createClient({ url: world.url })]
await cyd.register({ username: 'cyd', password })
await dan.register({ username: 'dan', password })
const arrived = new EventTarget()
const listen = async () => {
  for await (const { text } of dan.messages())
    arrived.dispatchEvent(new CustomEvent(text, { detail: performance.now() }))
}
void listen()

const byBrowser: number[] = []
const bySdk: number[] = []
for (let i = 0; i < messages + warmUp; i++) {
  byBrowser.push(await acrossBrowsers(ada, bob, `message ${i}`))
  const comes = once(arrived, `note ${i}`)
  const from = performance.now()
  await Promise.all([comes, cyd.sendMessage({ to: 'dan', text: `note ${i}` })])
  bySdk.push(((await comes)[0] as CustomEvent<number>).detail - from)
}
cyd.close()
dan.close()
say(`click to the other browser's screen: ${sum(byBrowser.slice(warmUp))}`)
say(`the SDK in Node, send to messages(): ${sum(bySdk.slice(warmUp))}`)

/** What the page's main thread has done, in milliseconds of processor time. */
const startMeter = async (page: Page) => {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  return async (kind: string) => {
    const { metrics } = await session.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === kind)?.value ?? 0
  }
}

await world.plain().api.register.mutate({ username: 'eve', password })
await seedConversation(stores[0] as Store, ['ada', 'eve'], history)
// What was put into the store directly, nobody was told of.
await ada.page.goto(`${world.url}/#/with/eve`)
await ada.page.reload()
await ada.page
  .getByText(new RegExp(`^message ${history}\\.`))
  .last()
  .waitFor()
const meter = await startMeter(ada.page)
await ada.log.hover()
const steps = 60
/** Half a screen for each frame. */
const scroll = async (px: number) => {
  const before = (await meter('TaskDuration')) * 1_000
  for (let i = 0; i < steps; i++) {
    await ada.page.mouse.wheel(0, px)
    await ada.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)))
  }
  return ((await meter('TaskDuration')) * 1_000 - before) / steps
}
say(`half a screen up, with the first pages: ${(await scroll(-350)).toFixed(1)} ms of processor time`)
const from = performance.now()
const longTasks = await ada.page.evaluate(async () => {
  const tasks: number[] = []
  const note = (list: PerformanceObserverEntryList) => tasks.push(...list.getEntries().map(({ duration }) => duration))
  new PerformanceObserver(note).observe({ type: 'longtask' })
  const log = document.querySelector('.log') as HTMLElement
  const start = document.querySelector('.log-start') as HTMLElement
  while (!start.textContent?.includes('begins')) {
    log.scrollTop = 0
    await new Promise((resolve) => requestAnimationFrame(resolve))
  }
  return tasks
})
say(
  `all ${history} read by scrolling to the top again and again: ${((performance.now() - from) / 1_000).toFixed(1)} s, ` +
    `${longTasks.length} long tasks, the longest ${Math.max(0, ...longTasks).toFixed(0)} ms`,
)
say(`half a screen down, with all of them: ${(await scroll(350)).toFixed(1)} ms of processor time`)
say(`heap ${((await meter('JSHeapUsedSize')) / 2 ** 20).toFixed(0)} MiB`)
