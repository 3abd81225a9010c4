import { describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createClientOn } from '../../client-sdk/src/client.ts'
import { listenToPlatform, type PlatformEvent } from '../../client-sdk/src/transport/platform.ts'
import { isWithin, statesOf } from '../harness/states.ts'
import { startWorld, type World } from '../harness/world.ts'

// What the SDK makes of a network that comes, goes or dies, and of what the platform says of it.

/** A client of Ada's whose platform says what the test says. */
const onPlatform = async (world: World) => {
  const [ada] = await world.people('ada')
  let tell: ((event: PlatformEvent) => void) | null = null
  const client = createClientOn(
    (url) => new WebSocket(url) as never,
    { url: ada.network.url, token: ada.token },
    (onEvent) => {
      tell = onEvent
      return () => {
        tell = null
      }
    },
  )
  expect(tell).toBeNull()
  await client.me()
  const states = statesOf(client)
  return {
    client,
    network: ada.network,
    states,
    tell: (event: PlatformEvent) => tell?.(event),
    isListening: () => tell !== null,
    /** Waits until the next attempt is so far away. @returns when it would be */
    async waitsFor(ms: number): Promise<Date> {
      const farOff = ({ state } = client) => state.status === 'offline' && state.retryAt.getTime() - Date.now() > ms
      await states.until(() => farOff())
      return client.state.status === 'offline' ? client.state.retryAt : new Date(0)
    },
    async [Symbol.asyncDispose]() {
      client.close()
    },
  }
}

describe.concurrent('what the platform says of the network', () => {
  test('a page that is looked at again asks its connection for a sign of life at once', async () => {
    await using world = await startWorld()
    await using page = await onPlatform(world)
    const { client, states, tell } = page
    tell('visible')
    await client.me()
    page.network.freeze()
    const offline = states.next('offline')
    tell('visible')
    expect(await isWithin(offline, 3_000)).toBe(true)
    expect(states.statuses().slice(0, 1)).toEqual(['offline'])
  })

  test.for(['visible', 'online'] as const)('%s: an attempt that would come later is made now', async (event) => {
    await using world = await startWorld()
    await using page = await onPlatform(world)
    page.network.cut()
    const wouldBe = await page.waitsFor(3_000)
    page.network.restore()
    page.tell(event)
    expect(page.client.state).toMatchObject({ status: 'offline' })
    await page.states.until(() => page.client.state.status === 'live')
    expect(Date.now()).toBeLessThan(wouldBe.getTime() - 1_000)
  })

  test('a server that asked for time is given it all the same', async () => {
    await using world = await startWorld()
    await using page = await onPlatform(world)
    const facts = '{"kind":"tooManyConnections","retryable":true,"retryAfterMs":60000}'
    page.network.inject(`{"id":null,"error":{"json":{"message":"","data":${facts}}}}`)
    await page.waitsFor(50_000)
    page.tell('online')
    await page.waitsFor(50_000)
  })

  test('offline: hardly an attempt is made, and a connection that works stays', async () => {
    await using world = await startWorld()
    await using page = await onPlatform(world)
    page.tell('offline')
    await page.client.me()
    expect(page.states.items).toEqual([])
    page.network.cut()
    await page.waitsFor(20_000)
    page.network.restore()
    page.tell('online')
    await page.states.until(() => page.client.state.status === 'live')
  })

  test('nobody listens any more after close()', async () => {
    await using world = await startWorld()
    await using page = await onPlatform(world)
    expect(page.isListening()).toBe(true)
    page.client.close()
    expect(page.isListening()).toBe(false)
    page.tell('online')
    expect(page.client.state.status).toBe('closed')
  })
})

describe.concurrent('a dead network', () => {
  test.for([
    ['within 5 s after a send', true, [2_000, 3_000]],
    ['within 5 s when it is quiet', false, [2_000, 3_000]],
  ] as const)('is noticed %s', async ([, isSending, waits]) => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    const offline = statesOf(ada.client).next('offline')
    ada.network.freeze()
    if (isSending) ada.client.sendMessage({ to: 'ada', text: 'anybody?' }).catch(() => {})
    expect(await isWithin(offline, ...waits)).toBe(true)
  })
})

test('a browser says it by events of the window and of the page, until nobody wants to know', () => {
  const page = Object.assign(new EventTarget(), { visibilityState: 'hidden' })
  const window = new EventTarget()
  vi.stubGlobal('document', page)
  vi.stubGlobal('addEventListener', window.addEventListener.bind(window))
  vi.stubGlobal('removeEventListener', window.removeEventListener.bind(window))
  const said: PlatformEvent[] = []
  const stop = listenToPlatform((event) => said.push(event))
  const happen = () => {
    window.dispatchEvent(new Event('offline'))
    window.dispatchEvent(new Event('online'))
    page.dispatchEvent(new Event('visibilitychange'))
  }
  happen()
  page.visibilityState = 'visible'
  happen()
  stop()
  happen()
  vi.unstubAllGlobals()
  expect(said).toEqual(['offline', 'online', 'offline', 'online', 'visible'])
})
