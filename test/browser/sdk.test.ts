import { afterAll, describe, expect } from 'vitest'
import type * as sdk from '../../client-sdk/src/index.ts'
import { browserTest, startBrowser, type TestBrowser } from '../harness/browser.ts'
import { startNetwork } from '../harness/network.ts'
import { fair, startRoughNetwork, trickling } from '../harness/rough-network.ts'
import { sdkFolder, startSite } from '../harness/site.ts'
import { password, startWorld, type WorldOptions } from '../harness/world.ts'

// The built SDK in a real browser: what only a browser's own WebSocket, fetch and events can show.

declare global {
  /** What the page keeps for the tests. */
  var createClient: typeof sdk.createClient
  var client: sdk.ChatClient
  var texts: string[]
  var isInTime: () => Promise<boolean>
}

const html = `<!doctype html><title>A page</title><script type="module">
import { createClient } from '/sdk/index.js'
Object.assign(globalThis, { createClient, texts: [] })
</script>`

/** One for all tests here. */
let browser: Promise<TestBrowser> | undefined
afterAll(async () => (await browser)?.[Symbol.asyncDispose]())

/** A page with the SDK, behind a network of its own, beside Ada in Node. */
const openWorld = async (options: WorldOptions = {}) => {
  const site = await startSite({ '/': html }, { sdk: sdkFolder })
  const world = await startWorld({ ...options, config: { allowedOrigins: [site.url] } })
  const [ada] = await world.people('ada')
  const network = await startNetwork(options.webSockets ? world.proxy.url : world.url)
  browser ??= startBrowser()
  const visit = (await browser).visit()
  // A page says of each connection that is cut what the tests cut it for.
  visit.expect(/WebSocket|ERR_/)
  const page = await visit.open(site.url)
  await page.waitForFunction(() => 'createClient' in globalThis)
  return {
    world,
    ada,
    network,
    page,
    async [Symbol.asyncDispose]() {
      await visit[Symbol.asyncDispose]()
      await network[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
      await site[Symbol.asyncDispose]()
    },
  }
}
type Opened = Awaited<ReturnType<typeof openWorld>>

/** Opens Bob's account in the page, and follows what comes in. */
const signUp = ({ page }: Opened, { url }: { url: string }) =>
  page.evaluate(
    async ([url, password]) => {
      globalThis.client = globalThis.createClient({ url })
      const { user } = await client.register({ username: 'bob', password })
      const follow = async () => {
        for await (const { sender, text } of client.messages()) if (sender !== user.userId) texts.push(text)
      }
      void follow()
      return user.userId
    },
    [url, password] as const,
  )

const received = async ({ page }: Opened, count: number): Promise<string[]> => {
  await page.waitForFunction((count) => texts.length >= count, count)
  return page.evaluate(() => texts)
}

const until = ({ page }: Opened, wanted: Partial<sdk.ClientState> & { transport?: string }) =>
  page.waitForFunction(
    (wanted) => {
      const state = client.state as unknown as Record<string, unknown>
      return Object.entries(wanted).every(([key, value]) => state[key] === value)
    },
    wanted as Record<string, string>,
  )

/**
 * Whether the client takes its connection for lost before these milliseconds, and half a second more, have passed from when
 * the page does this. They are waited for by timers of the page, as the client does it: a busy machine makes both late.
 */
const isOfflineWithin = async ({ page }: Opened, waits: number[], act: () => void): Promise<boolean> => {
  await page.evaluate((waits) => {
    const offline = new Promise<boolean>((resolve) => {
      client.onState(({ status }) => status === 'offline' && resolve(true))
    })
    globalThis.isInTime = async () => {
      const over = async () => {
        for (const ms of [...waits, 500]) await new Promise((resolve) => setTimeout(resolve, ms))
        return false
      }
      return Promise.race([offline, over()])
    }
  }, waits)
  await page.evaluate(act)
  return page.evaluate(() => isInTime())
}

describe.concurrent('the SDK in a browser', () => {
  browserTest('[P2] [P3] a page signs up, sends, receives, goes on after a cut, and closes', async () => {
    await using opened = await openWorld()
    const { page, ada, network } = opened
    expect(await signUp(opened, opened.network)).toBe('bob')
    await page.evaluate(() => client.sendMessage({ to: 'ada', text: 'from a page' }))
    expect(await ada.received(1)).toEqual(['from a page'])
    await ada.send('bob', 'one')
    expect(await received(opened, 1)).toEqual(['one'])
    const sentAt = await page.evaluate(async () => (await client.history({ conversation: 'ada' })).messages[0]?.sentAt)
    expect(sentAt).toBeInstanceOf(Date)

    network.cut()
    await until(opened, { status: 'offline' })
    await ada.send('bob', 'two', 'three')
    network.restore()
    expect(await received(opened, 3)).toEqual(['one', 'two', 'three'])

    await page.evaluate(() => client.close())
    await ada.send('bob', 'four')
    expect(await page.evaluate(() => [client.state.status, texts.length])).toEqual(['closed', 3])
  })

  browserTest.for([
    ['a WebSocket', {}],
    ['plain HTTP', { webSockets: 'refused' }],
  ] as const)('a dead network is noticed within 5 s after a send, over %s', async ([, options]) => {
    await using opened = await openWorld(options)
    await signUp(opened, opened.network)
    await until(opened, { status: 'live' })
    opened.network.freeze()
    const send = () => void client.sendMessage({ to: 'ada', text: 'anybody?' }).catch(() => {})
    expect(await isOfflineWithin(opened, [2_000, 3_000], send)).toBe(true)
  })

  browserTest('a dead network is noticed within 5 s when it is quiet', async () => {
    await using opened = await openWorld()
    await signUp(opened, opened.network)
    await until(opened, { status: 'live' })
    opened.network.freeze()
    expect(await isOfflineWithin(opened, [2_000, 3_000], () => {})).toBe(true)
  })

  browserTest('[P2] [P4] the longest message arrives over 2 kB/s, and so does the answer to it', async () => {
    await using opened = await openWorld()
    await using slow = await startRoughNetwork(() => opened.world.url)
    await signUp(opened, slow)
    slow.become({ ...fair, up: trickling(2_000), down: trickling(2_000) })
    const text = '漢'.repeat(3_990)
    const seq = opened.page.evaluate(async (text) => (await client.sendMessage({ to: 'ada', text })).seq, text)
    expect(await opened.ada.received(1)).toEqual([text])
    expect(await seq).toBe(1)
  })

  browserTest('a page that is looked at again asks for a sign of life at once', async () => {
    await using opened = await openWorld()
    await signUp(opened, opened.network)
    await until(opened, { status: 'live' })
    opened.network.freeze()
    const look = () => void document.dispatchEvent(new Event('visibilitychange'))
    expect(await isOfflineWithin(opened, [3_000], look)).toBe(true)
  })

  browserTest('a network that is there again is used at once', async () => {
    await using opened = await openWorld()
    const { page, network } = opened
    await signUp(opened, opened.network)
    await page.context().setOffline(true)
    network.cut()
    await page.waitForFunction(
      () => client.state.status === 'offline' && client.state.retryAt.getTime() - Date.now() > 10_000,
    )
    network.restore()
    await page.context().setOffline(false)
    await until(opened, { status: 'live' })
  })

  browserTest('[P2] [P3] [P5] where WebSockets are blocked a page talks over plain HTTP, and moves back', async () => {
    await using opened = await openWorld({ webSockets: 'refused' })
    const { page, ada, network, world } = opened
    await signUp(opened, opened.network)
    await until(opened, { status: 'live', transport: 'http' })
    await ada.send('bob', 'one')
    expect(await received(opened, 1)).toEqual(['one'])
    await page.evaluate(() => client.sendMessage({ to: 'ada', text: 'over HTTP' }))
    expect(await ada.received(1)).toEqual(['over HTTP'])

    network.kick()
    await ada.send('bob', 'two')
    expect(await received(opened, 2)).toEqual(['one', 'two'])

    world.proxy.webSockets = 'pass'
    await page.evaluate(() => dispatchEvent(new Event('online')))
    await until(opened, { status: 'live', transport: 'webSocket' })
    await ada.send('bob', 'three')
    expect(await received(opened, 3)).toEqual(['one', 'two', 'three'])
  })
})
