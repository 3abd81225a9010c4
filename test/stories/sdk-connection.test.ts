import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createClientOn } from '../../client-sdk/src/client.ts'
import { createClient } from '../../client-sdk/src/node.ts'
import { listenToPlatform, type PlatformEvent } from '../../client-sdk/src/transport/platform.ts'
import { startNetwork } from '../harness/network.ts'
import { createInbox } from '../harness/plain-client.ts'
import { isWithin, statesOf } from '../harness/states.ts'
import { password, startWorld, type World } from '../harness/world.ts'

// How the SDK keeps its connection, and what it says of it.

describe.concurrent('the connection', () => {
  test('an unreadable frame costs the connection, not the process', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const states = statesOf(bob.client)
    const offline = states.next('offline')
    bob.network.inject('{"id":')
    expect(await offline).toMatchObject({
      error: { kind: 'connectionLost', message: expect.stringContaining('cannot be read') },
    })
    await ada.send('bob', 'still here')
    expect(await bob.received(1)).toEqual(['still here'])
  })

  test('a call that waits for a server that is not there says so in the end', async () => {
    await using world = await startWorld()
    await using network = await startNetwork(world.url)
    network.cut()
    const client = createClient({ url: network.url })
    const offline = statesOf(client).next('offline')
    const patient = client.me()
    await offline
    await expect(client.me(undefined, { timeoutMs: 1 })).rejects.toMatchObject({
      kind: 'timedOut',
      message: expect.stringMatching(/^No connection in time: /),
    })
    client.close()
    await expect(patient).rejects.toMatchObject({ kind: 'closed' })
  })

  test('live is said when the server has let the client in: never with a token that it refuses', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    const client = createClient({ url: ada.network.url, token: ada.token })
    const states = statesOf(client)
    expect(await client.me()).toMatchObject({ userId: 'ada' })
    await states.until(() => client.state.status === 'live')
    // It comes back where nothing waits to be sent as well.
    const live = states.next('live')
    ada.network.kick()
    await live
    client.close()
    expect(states.statuses()).toEqual(['connecting', 'live', 'offline', 'connecting', 'live', 'closed'])

    const stranger = createClient({ url: world.url, token: 'not-a-token' })
    const strange = statesOf(stranger)
    await expect(stranger.me()).rejects.toMatchObject({ kind: 'sessionEnded' })
    expect(strange.statuses()).toEqual(['connecting', 'offline', 'connecting', 'signedOut'])
    stranger.close()
  })

  test('a token function that gives a refused token twice in a row is signed out; login starts again', async () => {
    await using world = await startWorld()
    await world.people('ada')
    const asked: string[] = []
    const client = createClient({
      url: world.url,
      token(why) {
        asked.push(why)
        return 'not-a-token'
      },
    })
    await expect(client.me()).rejects.toMatchObject({ kind: 'sessionEnded' })
    expect(client.state.status).toBe('signedOut')
    expect(asked).toEqual(['connect', 'ended'])
    await client.login({ username: 'ada', password })
    expect((await client.me()).userId).toBe('ada')
    client.close()
  })

  test('a token function that never answers is given up, and asked again', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    let asked = 0
    const client = createClient({
      url: world.url,
      callTimeoutMs: 200,
      token: () => (asked++ === 0 ? new Promise<never>(() => {}) : ada.token),
    })
    const states = statesOf(client)
    await expect(client.me()).rejects.toMatchObject({ kind: 'timedOut' })
    await states.until(() => states.items.some(({ status }) => status === 'offline'))
    expect(await client.me(undefined, { timeoutMs: 10_000 })).toMatchObject({ userId: 'ada' })
    client.close()
  })

  test('over the limit of connections it waits longer each time, and goes on when there is room', async () => {
    await using world = await startWorld({ socketLimits: { socketsPerUser: 1 } })
    const [ada] = await world.people('ada')
    const second = createClient({ url: world.url, token: ada.token })
    const states = statesOf(second)
    const me = second.me()
    await states.until(() => states.items.filter(({ status }) => status === 'offline').length === 3)
    expect(states.items.find(({ status }) => status === 'offline')).toMatchObject({
      error: { kind: 'tooManyConnections' },
    })
    expect(states.items.filter(({ status }) => status === 'connecting')).toEqual([
      { status: 'connecting', attempt: 1 },
      { status: 'connecting', attempt: 2 },
      { status: 'connecting', attempt: 3 },
    ])
    ada.client.close()
    expect((await me).userId).toBe('ada')
    second.close()
  })

  test('it waits as long as the server asks it to', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    const states = statesOf(ada.client)
    const offline = states.next('offline')
    const facts = '{"kind":"tooManyConnections","retryable":true,"retryAfterMs":60000}'
    ada.network.inject(`{"id":null,"error":{"json":{"message":"","data":${facts}}}}`)
    await offline
    const [state] = states.items
    expect(state?.status === 'offline' && state.retryAt.getTime() - Date.now()).toBeGreaterThan(50_000)
  })

  test('it goes on at once where somebody does not want to wait so long', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    const states = statesOf(ada.client)
    const offline = states.next('offline')
    const facts = '{"kind":"tooManyConnections","retryable":true,"retryAfterMs":60000}'
    ada.network.inject(`{"id":null,"error":{"json":{"message":"","data":${facts}}}}`)
    await offline
    const live = states.next('live')
    ada.client.retryNow()
    ada.client.retryNow()
    await live
    ada.client.retryNow()
    expect(states.statuses()).toEqual(['offline', 'connecting', 'catchingUp', 'live'])
  })

  test('attempts are counted until there is an answer with data', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    const client = createClient({ url: ada.network.url })
    const states = statesOf(client)
    const wrong = client.login({ username: 'ada', password: 'wrong' })
    await expect(wrong).rejects.toMatchObject({ kind: 'badCredentials' })
    const attempts = () => states.items.flatMap((state) => (state.status === 'connecting' ? [state.attempt] : []))
    for (const _cut of [1, 2]) {
      const live = states.next('live')
      ada.network.kick()
      await live
    }
    expect(attempts()).toEqual([1, 2, 3])
    await client.login({ username: 'ada', password })
    const live = states.next('live')
    ada.network.kick()
    await live
    expect(attempts()).toEqual([1, 2, 3, 1])
    client.close()
  })

  test('[P10] a call for which the server closes the connection is not sent again', async () => {
    await using world = await startWorld({ socketLimits: { maxFrameBytes: 1_000 } })
    const [ada, bob] = await world.people('ada', 'bob')
    await expect(ada.client.sendMessage({ to: 'bob', text: 'x'.repeat(2_000) })).rejects.toMatchObject({
      kind: 'tooLarge',
    })
    await ada.send('bob', 'still here')
    expect(await bob.received(1)).toEqual(['still here'])
  })

  test('a wrong URL is refused in plain words, and a server may stand below a path', async () => {
    for (const url of ['', 'localhost:3000', '/chat', 'ftp://chat.example.org']) {
      expect(() => createClient({ url })).toThrow(/is not the address of a server, such as https:/)
    }
    const paths = createInbox<string>()
    await using server = createServer().on('upgrade', ({ url = '' }, socket) => {
      paths.add(url)
      socket.destroy()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const clients = ['', '/', '/chat', '/chat/#room?x=1'].map((path) =>
      createClient({ url: `http://127.0.0.1:${port}${path}` }),
    )
    for (const client of clients) client.me().catch(() => {})
    await paths.until(() => new Set(paths.items).size === 2 && paths.items.length >= 4)
    for (const client of clients) client.close()
    expect(new Set(paths.items)).toEqual(new Set(['/trpc?connectionParams=1', '/chat/trpc?connectionParams=1']))
  })

  test('a connection that the platform refuses to open is lost like any other, and tried again', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    let refusals = 0
    const makeSocket = (url: string) => {
      if (refusals++ === 0) throw new TypeError('This page may not')
      return new WebSocket(url) as never
    }
    const client = createClientOn(makeSocket, { url: world.url, token: ada.token })
    const states = statesOf(client)
    expect((await client.me()).userId).toBe('ada')
    expect(states.items[1]).toMatchObject({
      status: 'offline',
      error: { kind: 'unavailable', message: expect.stringContaining('This page may') },
    })
    client.close()
  })
})

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

describe.concurrent('a script', () => {
  test.for([
    ['a WebSocket', {}],
    ['plain HTTP', { webSockets: 'refused' }],
  ] as const)('ends after close(), also when the network has died, over %s', async ([, options]) => {
    await using world = await startWorld(options)
    const [ada] = await world.people('ada')
    await using script = startScript(
      `const client = createClient({ url: '${ada.network.url}', token: '${ada.token}' })
       client.messages().next()
       await client.me()
       console.log('ready')
       process.stdin.once('data', () => { client.close(); process.stdin.destroy(); console.log('closed') })`,
    )
    await script.line('ready')
    ada.network.freeze()
    script.write('close')
    await script.line('closed')
    const closedAt = performance.now()
    expect(await script.exit()).toBe(0)
    // `ws` alone takes 30 s.
    expect(performance.now() - closedAt).toBeLessThan(10_000)
  })

  test('learns of the error of a listener of its own, and stays connected', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    await using script = startScript(
      `process.on('uncaughtException', ({ message }) => console.log(message))
       const client = createClient({ url: '${world.url}', token: '${ada.token}' })
       client.onState(({ status }) => { throw new Error('at ' + status) })
       console.log((await client.me()).userId)
       client.close()`,
    )
    for (const line of ['at connecting', 'at live', 'ada', 'at closed']) await script.line(line)
    expect(await script.exit()).toBe(0)
  })

  test('ends soon after close(), whatever it was about, over plain HTTP', async () => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada] = await world.people('ada', 'bob')
    await using script = startScript(
      `const client = createClient({ url: '${ada.network.url}', token: '${ada.token}' })
       client.messages().next()
       await client.sendMessage({ to: 'bob', text: 'one' })
       for (let i = 0; i < 100; i++) client.sendMessage({ to: 'bob', text: 'more' }).catch(() => {})
       client.history({ conversation: 'bob' }).catch(() => {})
       client.close()
       console.log('closed')`,
    )
    await script.line('closed')
    const closedAt = performance.now()
    expect(await script.exit()).toBe(0)
    expect(performance.now() - closedAt).toBeLessThan(3_000)
  })

  test('that leaves a loop while it connects goes on', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    await using script = startScript(
      `const client = createClient({ url: '${world.url}', token: '${ada.token}' })
       const abort = new AbortController()
       const loop = client.messages({ signal: abort.signal }).next()
       setTimeout(() => abort.abort())
       console.log((await loop).done, (await client.me()).userId)
       client.close()`,
    )
    await script.line('true ada')
    expect(await script.exit()).toBe(0)
  })
})

/** A program of somebody who uses the SDK, as a process of its own. */
const startScript = (text: string) => {
  const sdk = new URL('../../dist/client-sdk/src/node.js', import.meta.url)
  const child = spawn(
    process.execPath,
    ['--input-type=module', '--eval', `import { createClient } from '${sdk}'\n${text}`],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInbox<string>()
  createInterface({ input: child.stdout }).on('line', lines.add)
  const exit = once(child, 'exit').then(([code]) => {
    lines.fail(new Error(`It has ended, with ${code} and the lines: ${lines.items.join(', ')}`))
    return code as number | null
  })
  return {
    line: (line: string) => lines.until(() => lines.items.includes(line)),
    write: (text: string) => child.stdin.write(`${text}\n`),
    exit: () => exit,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exit
    },
  }
}
