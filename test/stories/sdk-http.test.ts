import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createClientOn } from '../../client-sdk/src/client.ts'
import { type ChatClient, createClient } from '../../client-sdk/src/node.ts'
import type { PlatformEvent } from '../../client-sdk/src/transport/platform.ts'
import { advanceUntil, createTestClock } from '../harness/clock.ts'
import { createInbox, isReceipt } from '../harness/plain-client.ts'
import type { WebSockets } from '../harness/proxy.ts'
import { isWithin, statesOf } from '../harness/states.ts'
import { type Person, password, startWorld } from '../harness/world.ts'

// Where something on the way lets no WebSocket through, the SDK goes on over plain HTTP, and all that it promises holds.

const transportOf = ({ state }: ChatClient) => ('transport' in state ? state.transport : state.status)
const textsOf = ({ inbox }: Person) => inbox.items.map(({ text }) => text)
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}`)

describe.concurrent('over plain HTTP', () => {
  test.for<WebSockets>(['refused', 'unanswered', 'swallowed', 'reset'])(
    '[P2] [P3] [P6] two people talk where WebSockets are %s',
    async (webSockets) => {
      await using world = await startWorld({ webSockets })
      const [ada, bob] = await world.people('ada', 'bob')
      const receipts = world.plain(ada.token).follow({ ack: 'client' })
      expect(transportOf(ada.client)).toBe('http')
      const [, last] = await ada.send('bob', 'one', 'two \u2028 three')
      expect(await bob.received(2)).toEqual(['one', 'two \u2028 three'])
      await bob.send('ada', 'four')
      expect(await ada.received(1)).toEqual(['four'])
      await bob.client.markRead({ messageId: last?.id ?? '' })
      await receipts.until(() => receipts.items.filter(isReceipt).some(({ receipt }) => receipt.readSeq === 2))
      const { messages } = await ada.client.history({ conversation: 'bob' })
      expect(messages.map(({ sentAt }) => sentAt instanceof Date)).toEqual([true, true, true])
    },
  )

  test('[P2] [P3] [P5] what is sent through 12 cuts arrives once and in order', async () => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada, bob] = await world.people('ada', 'bob')
    for (const [i, text] of numbered(36).entries()) {
      const sent = ada.send('bob', text)
      if (i % 3 === 0) (i % 2 === 0 ? ada : bob).network.kick()
      await sent
    }
    expect(await bob.received(36)).toEqual(numbered(36))
    await ada.inbox.until(() => ada.inbox.items.length === 36)
    expect(textsOf(ada)).toEqual(numbered(36))
    expect([ada, bob].map(({ client }) => transportOf(client))).toEqual(['http', 'http'])
  })

  test('[P3] what is said in one go travels in requests that the server takes, and arrives in order', async () => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada, bob] = await world.people('ada', 'bob')
    const from = world.proxy.requests.length
    const texts = numbered(200).map((text, i) => (i < 20 ? text.padEnd(4_000, '€') : text))
    await Promise.all(texts.map((text) => ada.client.sendMessage({ to: 'bob', text })))
    expect(await bob.received(200)).toEqual(texts)
    const sizes = world.proxy.requests
      .slice(from)
      .filter((line) => line.includes('sendMessage'))
      .map((line) => line.split('sendMessage').length - 1)
    // One message of 12 kB fits into 16 KiB, and with the last of them 19 short ones.
    expect(sizes).toEqual([...Array(19).fill(1), ...Array(9).fill(20), 1])
  })

  test('a client has one stream, whatever it follows', async ({ expect }) => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada] = await world.people('ada')
    const client = createClient({ url: world.proxy.url, token: ada.token })
    await client.me()
    const { open } = world.proxy
    ada.client.close()
    await expect.poll(() => [...open]).toEqual(['POST /trpc/onStatus'])
    const messages = client.messages()
    const next = messages.next()
    await expect.poll(() => [...open]).toEqual(['POST /trpc/onMessage'])
    await messages.return()
    await next
    await expect.poll(() => [...open]).toEqual(['POST /trpc/onStatus'])
    client.close()
    await expect.poll(() => [...open]).toEqual([])
  })

  test('[P7] who is connected is online, whether she follows anything or not, and is offline soon after', async () => {
    const clock = createTestClock()
    await using world = await startWorld({ clock, webSockets: 'refused' })
    const [ada, bob] = await world.people('ada', 'bob')
    const client = createClient({ url: world.proxy.url, token: bob.token })
    await client.me()
    bob.client.close()
    const isOnline = async () => (await ada.client.onlineUsers()).users.some(({ userId }) => userId === 'bob')
    const statuses = createInbox<string>()
    const watch = async () => {
      for await (const event of ada.client.statuses({ users: ['bob'] })) {
        for (const { status } of event.statuses) statuses.add(status)
      }
    }
    watch().catch(statuses.fail)
    await statuses.until(() => statuses.items.length === 1)
    clock.advance(60_000)
    expect(await isOnline()).toBe(true)
    client.close()
    await advanceUntil(
      clock,
      250,
      statuses.first((status): status is string => status === 'offline'),
    )
  })

  test('[P7] who says nothing keeps her stream by signs of life', async ({ expect }) => {
    const clock = createTestClock()
    await using world = await startWorld({ clock, webSockets: 'refused' })
    const [ada] = await world.people('ada')
    const { open, requests } = world.proxy
    await expect.poll(() => [...open]).toEqual(['POST /trpc/onMessage'])
    const streams = requests.filter((line) => line.includes('onMessage')).length
    clock.advance(20_000)
    await expect.poll(() => requests).toContain('GET /trpc/me')
    clock.advance(20_000)
    await ada.client.me()
    expect(requests.filter((line) => line.includes('onMessage'))).toHaveLength(streams)
  })
})

describe.concurrent('sessions over plain HTTP', () => {
  test('register and login sign in what follows; who logs out can log in at once, as somebody else', async () => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada] = await world.people('ada', 'bob')
    expect((await ada.client.me()).userId).toBe('ada')
    await ada.client.logout()
    expect(ada.client.state.status).toBe('signedOut')
    await expect(ada.client.me()).rejects.toMatchObject({ kind: 'notSignedIn' })
    await ada.client.login({ username: 'bob', password })
    expect((await ada.client.me()).userId).toBe('bob')
  })

  test('[P8] a session that is ended elsewhere signs its client out; a token function gives it another one', async () => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada] = await world.people('ada')
    const phone = await world.device('ada')
    const asked: string[] = []
    const client = createClient({
      url: world.proxy.url,
      token(why) {
        asked.push(why)
        return why === 'ended' ? phone.token : ada.token
      },
    })
    const me = await client.me()
    const [states, others] = [statesOf(ada.client), statesOf(client)]
    const elsewhere = createClient({ url: world.url, token: ada.token })
    await elsewhere.logout()
    await states.until(() => ada.client.state.status === 'signedOut')
    expect(ada.client.state).toMatchObject({ error: { kind: 'sessionEnded' } })
    await others.until(() => client.state.status === 'live' && asked.includes('ended'))
    expect(await client.me()).toEqual(me)
    client.close()
    elsewhere.close()
  })

  test('a token that is refused is never live', async () => {
    await using world = await startWorld({ webSockets: 'refused' })
    const client = createClient({ url: world.proxy.url, token: 'not-a-token' })
    const states = statesOf(client)
    await expect(client.me()).rejects.toMatchObject({ kind: 'sessionEnded' })
    expect(states.statuses()).not.toContain('live')
    expect(client.state.status).toBe('signedOut')
    client.close()
  })

  test('errors are the same, with their kinds and waits', async () => {
    await using world = await startWorld({ webSockets: 'refused', config: { rateLimits: true } })
    const [ada] = await world.people('ada')
    await expect(ada.client.sendMessage({ to: 'nobody', text: 'Hello?' })).rejects.toMatchObject({
      kind: 'unknownUser',
    })
    await expect(ada.client.events({ cursor: 'mine' }).next()).rejects.toMatchObject({ kind: 'badCursor' })
    const stranger = createClient({ url: world.proxy.url })
    const tries = Array.from({ length: 6 }, () =>
      stranger.login({ username: 'ada', password: 'wrong' }).catch((e) => e),
    )
    for (const error of await Promise.all(tries)) {
      expect(error).toMatchObject({ kind: expect.stringMatching(/badRequest|badCredentials/) })
    }
    for (let i = 0; i < 4; i++) await stranger.login({ username: 'ada', password: 'wrong' }).catch(() => {})
    await expect(stranger.login({ username: 'ada', password: 'wrong' })).rejects.toMatchObject({
      kind: 'rateLimited',
      retryAfterMs: expect.any(Number),
    })
    stranger.close()
  })

  test('over the limit of streams it waits, and goes on when there is room', async () => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada] = await world.people('ada')
    const clients = Array.from({ length: 19 }, () => createClient({ url: world.proxy.url, token: ada.token }))
    await Promise.all(clients.map((client) => client.me()))
    const last = createClient({ url: world.proxy.url, token: ada.token })
    const states = statesOf(last)
    const me = last.me()
    await states.until(() => states.items.some((s) => s.status === 'offline' && s.error.kind === 'tooManyConnections'))
    ada.client.close()
    expect((await me).userId).toBe('ada')
    for (const client of [last, ...clients]) client.close()
  })
})

describe.concurrent('the network below plain HTTP', () => {
  test.for([
    ['within 5 s after a send', true, [2_000, 3_000]],
    ['within 13 s when it is quiet', false, [10_000, 3_000]],
  ] as const)('a dead network is noticed %s', async ([, isSending, waits]) => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada] = await world.people('ada')
    const offline = statesOf(ada.client).next('offline')
    ada.network.freeze()
    if (isSending) ada.client.sendMessage({ to: 'ada', text: 'anybody?' }).catch(() => {})
    expect(await isWithin(offline, ...waits)).toBe(true)
  })

  test('a server that stops is left, and found again', async () => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada, bob] = await world.people('ada', 'bob')
    const states = statesOf(bob.client)
    await world.restart()
    await states.until(() => states.statuses().includes('offline') && bob.client.state.status === 'live')
    await ada.send('bob', 'back')
    expect(await bob.received(1)).toEqual(['back'])
  })

  test('a server that was away for long is found again soon after it is back', async () => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada] = await world.people('ada')
    const states = statesOf(ada.client)
    // A proxy refuses WebSockets also while the server behind it is away.
    world.proxy.answer(Number.POSITIVE_INFINITY, 502)
    ada.network.kick()
    await states.until(() => states.statuses().filter((status) => status === 'connecting').length === 5)
    world.proxy.answer(0, 502)
    await states.next('connecting')
    // Refused once more, it tries plain HTTP without the wait that has grown to seconds.
    expect(await isWithin(states.next('live'), 500, 3_000)).toBe(true)
  })

  test('[P4] answers that are no answers (a gateway without its server) cost the connection, and no message', async () => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada, bob] = await world.people('ada', 'bob')
    for (const status of [502, 503, 200]) {
      world.proxy.answer(1, status)
      await ada.send('bob', `${status}`)
    }
    expect(await bob.received(3)).toEqual(['502', '503', '200'])
  })
})

describe.concurrent('the way back to a WebSocket', () => {
  test('[P2] [P3] [P5] is found by itself, and nothing is lost or doubled on it', async () => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada, bob] = await world.people('ada', 'bob')
    const states = [statesOf(ada.client), statesOf(bob.client)]
    world.proxy.webSockets = 'pass'
    let isBack = false
    const back = Promise.all(
      states.map((states) =>
        states.until(() => states.items.some((s) => 'transport' in s && s.transport === 'webSocket')),
      ),
    ).then(() => {
      isBack = true
    })
    const sent: string[] = []
    const send = async () => {
      for (let more = 20; more > 0; more -= isBack ? 1 : 0) {
        const texts = [0, 1, 2].map((i) => `${sent.length + i}`)
        sent.push(...texts)
        await Promise.all(texts.map((text) => ada.client.sendMessage({ to: 'bob', text })))
      }
    }
    await Promise.all([back, send()])
    expect(await bob.received(sent.length)).toEqual(sent)
    await ada.inbox.until(() => ada.inbox.items.length === sent.length)
    expect(textsOf(ada)).toEqual(sent)
    expect(states.flatMap((states) => states.statuses())).not.toContain('offline')
  })

  test('is looked for when there is a network again, and given up when WebSockets are blocked still', async ({
    expect,
  }) => {
    await using world = await startWorld({ webSockets: 'refused' })
    const [ada] = await world.people('ada')
    let fire: (event: PlatformEvent) => void = () => {}
    const client = createClientOn(
      (url) => new WebSocket(url) as never,
      { url: world.proxy.url, token: ada.token },
      (onEvent) => {
        fire = onEvent
        return () => {}
      },
    )
    await client.me()
    const { upgrades } = world.proxy
    fire('online')
    await expect.poll(() => world.proxy.upgrades).toBeGreaterThan(upgrades)
    expect(transportOf(client)).toBe('http')
    world.proxy.webSockets = 'pass'
    const states = statesOf(client)
    fire('online')
    await states.until(() => transportOf(client) === 'webSocket')
    expect((await client.me()).userId).toBe('ada')
    client.close()
  })

  test('is not left for a network that is gone: only plain HTTP that works tells that WebSockets are blocked', async () => {
    await using world = await startWorld({ webSockets: 'pass' })
    const [ada] = await world.people('ada')
    const states = statesOf(ada.client)
    ada.network.cut()
    await states.until(() => states.items.filter(({ status }) => status === 'connecting').length === 4)
    ada.network.restore()
    await states.until(() => ada.client.state.status === 'live')
    expect(transportOf(ada.client)).toBe('webSocket')
  })
})
