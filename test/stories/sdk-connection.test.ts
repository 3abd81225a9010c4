import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createClientOn } from '../../client-sdk/src/client.ts'
import { createClient } from '../../client-sdk/src/node.ts'
import { startNetwork } from '../harness/network.ts'
import { createInbox } from '../harness/plain-client.ts'
import { statesOf } from '../harness/states.ts'
import { password, startWorld } from '../harness/world.ts'

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
