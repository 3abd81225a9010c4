import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { Message, Status } from '../../server/contract/index.ts'
import { advanceUntil, createTestClock } from '../harness/clock.ts'
import { patient } from '../harness/joined.ts'
import { type NodesOptions, type SharedStore, startNodes } from '../harness/nodes.ts'
import { createInbox, isMessage, isReceipt } from '../harness/plain-client.ts'
import { startRawClient } from '../harness/raw-client.ts'
import { createRestClient } from '../harness/rest-client.ts'
import { password, type World } from '../harness/world.ts'

const anyMessage = (_message: Message): _message is Message => true

const followStatus = (node: World, token: string) => {
  const inbox = createInbox<Status>()
  node.plain(token).api.onStatus.subscribe(undefined, {
    onData: ({ statuses }) => {
      for (const status of statuses) inbox.add(status)
    },
    onError: inbox.fail,
  })
  return inbox
}
const says =
  (user: string, status: Status['status']) =>
  (item: Status): item is Status =>
    item.userId === user && item.status === status
const namesOnline = async (node: World, token: string) =>
  (await node.plain(token).api.onlineUsers.query()).users.map(({ userId }) => userId)

/** MiB: room for four long messages, and not for five. */
const storagePerUser = 0.01
const msPerByte = (24 * 3_600_000) / (storagePerUser * 1024 * 1024)

/** What Redis has counted for all nodes. */
const readCounts = async (url: string) => {
  const { Redis } = await import('ioredis')
  const redis = new Redis(url)
  return {
    /** Waits until the whole burst of a key is free in so many milliseconds at the earliest. */
    async until(key: string, freeInMs: number) {
      const freeIn = async () => {
        const [name] = await redis.keys(`*:rate:${key}`)
        return name === undefined ? 0 : redis.pttl(name)
      }
      while ((await freeIn()) < freeInMs) await new Promise((resolve) => setImmediate(resolve))
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect()
    },
  }
}

/** What people at several nodes can count on, whichever store the nodes share. */
export const storiesOfNodes = (openShared: () => Promise<SharedStore>) => {
  const start = (count: number, options: NodesOptions = {}) => startNodes(count, { openShared, ...options })

  test('people at two nodes talk as if they were at one', async () => {
    await using world = await start(2)
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    const [bob] = await two.people('bob')
    const [sent] = await ada.send('bob', 'hello over there 👋')
    expect(await bob.received(1)).toEqual(['hello over there 👋'])
    await bob.send('ada', 'hello yourself')
    expect(await ada.received(1)).toEqual(['hello yourself'])
    expect(bob.inbox.items[0]).toEqual({ ...sent, sentAt: expect.any(Date) })
  })

  test('[P6] what was delivered and read at one node is told at the other', async () => {
    await using world = await start(2)
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    const [bob] = await two.people('bob')
    const events = one.plain(ada.token).follow()
    await events.first((event): event is typeof event => event.type === 'caughtUp')
    const [sent] = await ada.send('bob', 'hello')
    const bobs = (event: Parameters<typeof isReceipt>[0]) => isReceipt(event) && event.receipt.userId === 'bob'
    await events.until(() => events.items.some((event) => bobs(event)))
    await bob.client.markRead({ messageId: sent?.id ?? '' })
    await events.until(() => events.items.some((e) => isReceipt(e) && bobs(e) && e.receipt.readSeq === 1))
  })

  test('[P2] [P3] all devices of both, at three nodes, see what is said at all of them once and in one order', async () => {
    await using world = await start(3)
    const [one, two, three] = world.nodes
    const [ada] = await one.people('ada')
    const [bob] = await two.people('bob')
    const adas = await three.device('ada')
    const bobs = await one.device('bob')
    const all = [ada, bob, adas, bobs]
    const numbers = Array.from({ length: 30 }, (_, i) => i)
    await Promise.all(
      all.flatMap((person, who) =>
        numbers.map((i) =>
          person.client.sendMessage({ to: person.name === 'ada' ? 'bob' : 'ada', text: `${who} ${i}` }),
        ),
      ),
    )
    const total = all.length * numbers.length
    for (const { inbox } of all) {
      const messages = await inbox.some(total, anyMessage)
      expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: total }, (_, i) => i + 1))
      expect(messages.map(({ text }) => text)).toEqual(ada.inbox.items.map(({ text }) => text))
    }
  })

  test('[P5] who goes from one node to the other misses nothing', async () => {
    await using world = await start(2)
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    const [bob] = await two.people('bob')
    bob.client.close()
    const seen = createInbox<{ cursor: string; text: string }>()
    const follow = (node: World, lastEventId?: string) =>
      node
        .plain(bob.token)
        .api.onMessage.subscribe(
          { ack: 'client', ...(lastEventId !== undefined && { lastEventId }) },
          { onData: ({ id, data }) => void (isMessage(data) && seen.add({ cursor: id, text: data.message.text })) },
        )
    const atTwo = follow(two)
    await ada.send('bob', '1', '2')
    await seen.until(() => seen.items.length === 2)
    atTwo.unsubscribe()
    await ada.send('bob', '3')
    follow(one, seen.items.at(-1)?.cursor)
    await ada.send('bob', '4')
    await seen.until(() => seen.items.some(({ text }) => text === '4'))
    expect([...new Set(seen.items.map(({ text }) => text))]).toEqual(['1', '2', '3', '4'])
  })

  test('[P4] [P5] a message whose node died before it told anybody is told where it is sent again', async () => {
    // A clock that stands still: nothing is found by the check that compares all feeds with the store now and then.
    const clock = createTestClock()
    await using world = await start(2, { clock, channelTimes: patient })
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    const [bob] = await two.people('bob')
    await ada.send('bob', 'hello')
    await bob.received(1)
    one.toRedis.cut()
    const message = { to: 'bob', text: 'are you there?', clientMessageId: 'c1' }
    const sent = await ada.client.sendMessage(message)
    await one.die()
    const ids = await Promise.all([1, 2].map(() => two.plain(ada.token).api.sendMessage.mutate(message)))
    expect(ids.map(({ id }) => id)).toEqual([sent.id, sent.id])
    expect(await bob.received(2)).toEqual(['hello', 'are you there?'])
  })

  test('[P7] who is online is known at all nodes, over all of her devices', async () => {
    const clock = createTestClock()
    await using world = await start(3, { clock, channelTimes: patient })
    const [one, two, three] = world.nodes
    const [ada] = await one.people('ada')
    const watch = followStatus(one, ada.token)
    const [bob] = await two.people('bob')
    await advanceUntil(clock, 250, watch.first(says('bob', 'online')))
    expect(await namesOnline(one, ada.token)).toEqual(['ada', 'bob'])

    // A device at another node keeps him online, longer than the time of grace at the first.
    const phone = await three.device('bob')
    await bob[Symbol.asyncDispose]()
    const [cyd] = await two.people('cyd')
    await advanceUntil(clock, 250, watch.first(says('cyd', 'online')))
    await cyd[Symbol.asyncDispose]()
    await advanceUntil(clock, 250, watch.first(says('cyd', 'offline')))
    expect(watch.items.filter(says('bob', 'offline'))).toEqual([])

    await phone[Symbol.asyncDispose]()
    const { lastSeenAt } = await advanceUntil(clock, 250, watch.first(says('bob', 'offline')))
    expect(lastSeenAt).toBeInstanceOf(Date)
    expect(await namesOnline(one, ada.token)).toEqual(['ada'])
  })

  test('[P7] who was at a node that stops in good order is gone after the time of grace, unless she is back elsewhere', async () => {
    const clock = createTestClock()
    await using world = await start(2, { clock, channelTimes: patient })
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    const [bob, cyd] = await two.people('bob', 'cyd')
    const watch = followStatus(one, ada.token)
    await advanceUntil(clock, 250, watch.first(says('cyd', 'online')))
    bob.network.cut()
    cyd.network.cut()
    await one.device('cyd')
    await two[Symbol.asyncDispose]()
    await advanceUntil(clock, 250, watch.first(says('bob', 'offline')))
    expect(watch.items.filter(says('cyd', 'offline'))).toEqual([])
    expect(await namesOnline(one, ada.token)).toEqual(['ada', 'cyd'])
  })

  test('[P7] a node that comes later learns who is there', async () => {
    await using world = await start(2)
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    await one.people('bob')
    const three = await world.another()
    const watch = followStatus(three, ada.token)
    await watch.first(says('bob', 'online'))
    await watch.first(says('ada', 'online'))
    expect(await namesOnline(two, ada.token)).toEqual(['ada', 'bob'])
  })

  test('[P8] logging out at one node cuts the connections of that session at the others', async () => {
    await using world = await start(2)
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    await using raw = await startRawClient(two.url, ada.token)
    const closed = once(raw.socket, 'close')
    await two.plain(ada.token).api.me.query()
    await ada.client.logout()
    const [code] = await closed
    expect(code).toBe(4401)
  })

  test('limits count what is done at all nodes', async () => {
    await using world = await start(2, { config: { rateLimits: true, registrationsPerHour: 5, storagePerUser } })
    const [one, two] = world.nodes
    const [ada] = await one.people('ada', 'bob')
    // At whichever node.
    for (const username of ['cyd', 'dia']) await two.plain().api.register.mutate({ username, password })
    await one.plain().api.register.mutate({ username: 'eve', password })
    await expect(two.plain().api.register.mutate({ username: 'fay', password })).rejects.toMatchObject({
      data: { kind: 'rateLimited', retryAfterMs: expect.any(Number) },
    })

    // Five guesses at a password.
    const guess = (node: World) =>
      node
        .plain()
        .api.login.mutate({ username: 'ada', password: 'wrong guess' })
        .catch((error) => error.data.kind)
    const kinds: string[] = []
    for (const node of [one, two, one, two, one, two]) kinds.push(await guess(node))
    expect(kinds).toEqual([...Array(5).fill('badCredentials'), 'rateLimited'])

    // What this node let through without asking the other learns a little later, and makes up for it. Of a day's share of
    // storage nothing becomes free during a test.
    const text = 'x'.repeat(2_000)
    for (let i = 0; i < 4; i++) await ada.client.sendMessage({ to: 'bob', text })
    await using counted = await readCounts(world.redis.url)
    await counted.until('storage ada', 4 * 2_000 * msPerByte)
    const there = two.plain(ada.token).api
    await there.sendMessage.mutate({ to: 'bob', text })
    await counted.until('storage ada', 5 * 2_000 * msPerByte)
    // It asks Redis, and so has heard all that Redis said before.
    await two.plain().api.login.mutate({ username: 'bob', password })
    await expect(there.sendMessage.mutate({ to: 'bob', text: 'one more' })).rejects.toMatchObject({
      message: expect.stringContaining('0 are left'),
    })
  })

  test('[P10] a guesser at all nodes has the guesses of one, and the owner is known at all of them', async () => {
    await using world = await start(2, { config: { rateLimits: true, trustedProxies: ['127.0.0.1'] } })
    const [one, two] = world.nodes
    const ask = async (node: World, path: string, address: string, body: object) => {
      const headers = { 'x-forwarded-for': address }
      const answer = await createRestClient(node.url).call<{ kind?: string }>('POST', path, { body, headers })
      return answer.body.kind ?? 'in'
    }
    const home = '198.51.100.1'
    expect(await ask(one, '/api/register', home, { username: 'ada', password })).toBe('in')
    const wrong = { username: 'ada', password: 'wrong guess' }
    const kinds: string[] = []
    for (let i = 0; i < 32; i++) kinds.push(await ask(i % 2 ? one : two, '/api/login', `203.0.113.${i}`, wrong))
    expect(kinds).toEqual([...Array(30).fill('badCredentials'), 'rateLimited', 'rateLimited'])
    for (const node of [one, two]) expect(await ask(node, '/api/login', home, { username: 'ada', password })).toBe('in')
  })

  test('[P9] two stores may share one Redis: nothing of the one is heard at the other', async () => {
    await using world = await start(2)
    await using stranger = await world.stranger()
    const [one] = world.nodes
    const [ada] = await one.people('ada', 'bob')
    const [strange] = await stranger.people('ada', 'bob')
    const inbox = stranger.plain(strange.token).follow()
    await inbox.first((event): event is typeof event => event.type === 'caughtUp')
    const watch = followStatus(stranger, strange.token)
    await ada.send('bob', 'secret')
    await one.people('cyd')
    await strange.send('bob', 'ours')
    await inbox.some(1, isMessage)
    await stranger.people('dia')
    await watch.first(says('dia', 'online'))
    expect(inbox.items.filter(isMessage).map(({ message }) => message.text)).toEqual(['ours'])
    expect(watch.items.map(({ userId }) => userId)).not.toContain('cyd')
  })
}
