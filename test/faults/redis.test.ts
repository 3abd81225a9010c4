import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import type { Message, Status } from '../../server/contract/index.ts'
import { startNodes } from '../harness/nodes.ts'
import { createInbox, isMessage } from '../harness/plain-client.ts'
import { startRawClient } from '../harness/raw-client.ts'
import { redisIsInstalled } from '../harness/redis.ts'
import type { Person, World } from '../harness/world.ts'

/** Silence is noticed ten times as fast as by default, so that nobody waits long for it. */
const channelTimes = { beatMs: 50, silentMs: 200, leaseMs: 2_000, stuckMs: 500 }

const dense = (length: number) => Array.from({ length }, (_, i) => i + 1)
const seqs = (messages: Message[]) => messages.map(({ seq }) => seq)

/** Resolves once this node says so of itself. */
const readyOnce = async (node: World, fits: (answer: { status: string; trouble?: string }) => boolean) => {
  for (;;) {
    const response = await fetch(`${node.url}/readyz`)
    const answer = await response.json()
    expect(response.status).toBe(200)
    if (fits(answer)) return answer
  }
}
const isTroubled = ({ trouble }: { trouble?: string }) => trouble !== undefined
const isWell = ({ trouble }: { trouble?: string }) => trouble === undefined

/** Both send to each other without a pause. @returns a function that ends it and says how many there are */
const talk = (ada: Person, bob: Person) => {
  let talking = true
  const longestMs = { value: 0 }
  const sendOn = async (sender: Person, to: string) => {
    while (talking) {
      const startedAt = performance.now()
      await sender.client.sendMessage({ to, text: 'on and on' })
      longestMs.value = Math.max(longestMs.value, performance.now() - startedAt)
    }
  }
  const lanes = Promise.all([sendOn(ada, 'bob'), sendOn(ada, 'bob'), sendOn(bob, 'ada'), sendOn(bob, 'ada')])
  return {
    longestMs: () => longestMs.value,
    async stop(): Promise<number> {
      talking = false
      await lanes
      const { messages } = await ada.client.history({ conversation: 'bob', limit: 1 })
      return messages[0]?.seq ?? 0
    },
  }
}

describe.skipIf(!redisIsInstalled)('Redis fails (skipped where redis-server is not installed)', () => {
  test('[P2] [P3] [P5] Redis is stopped and started while people talk: sends are acknowledged, nothing is lost, doubled or reordered', async () => {
    await using world = await startNodes(2, { channelTimes })
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    const [bob] = await two.people('bob')
    const adaAtTwo = await two.device('ada')
    const talking = talk(ada, bob)
    for (let round = 0; round < 3; round++) {
      const before = ada.inbox.items.length
      await ada.inbox.until(() => ada.inbox.items.length > before + 50)
      await world.redis.stop()
      await Promise.all([one, two].map((node) => readyOnce(node, isTroubled)))
      // Each still hears of what is said at its own node.
      const meanwhile = ada.inbox.items.length
      await ada.inbox.until(() => ada.inbox.items.length > meanwhile)
      await world.redis.start()
      await Promise.all([one, two].map((node) => readyOnce(node, isWell)))
    }
    const total = await talking.stop()
    for (const { inbox } of [ada, bob, adaAtTwo]) {
      await inbox.until(() => inbox.items.length >= total)
      expect(seqs(inbox.items)).toEqual(dense(total))
    }
  })

  test('[P5] while Redis is away, what was said at another node comes by way of the store', async () => {
    await using world = await startNodes(2, { channelTimes })
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    const [bob] = await two.people('bob')
    await world.redis.stop()
    await ada.send('bob', 'by way of the store')
    expect(await bob.received(1)).toEqual(['by way of the store'])
  })

  test('[P5] a node that Redis alone does not reach is heard through the store, and no cursor runs ahead of what it said', async () => {
    await using world = await startNodes(2, { channelTimes })
    const [one, two] = world.nodes
    const [ada] = await two.people('ada')
    const [bob, cyd] = await one.people('bob', 'cyd')
    bob.client.close()
    const cursors: string[] = []
    const first = createInbox<string>()
    const following = one.plain(bob.token).api.onMessage.subscribe(
      { ack: 'client' },
      {
        onData({ id, data }) {
          cursors.push(id)
          if (isMessage(data)) first.add(data.message.text)
        },
      },
    )
    await cyd.send('bob', 'hello')
    await first.until(() => first.items.length === 1)

    two.toRedis.cut()
    await readyOnce(one, isTroubled)
    await ada.send('bob', 'unheard')
    // Far more than the store reads again before a cursor, and all of them at once.
    const others = Array.from({ length: 100 }, (_, i) => `${i}`)
    await Promise.all(others.map((text) => cyd.client.sendMessage({ to: 'bob', text })))
    await first.until(() => first.items.includes('99'))
    following.unsubscribe()

    const resumed = createInbox<string>()
    one
      .plain(bob.token)
      .api.onMessage.subscribe(
        { ack: 'client', lastEventId: cursors.at(-1) },
        { onData: ({ data }) => void (isMessage(data) && resumed.add(data.message.text)) },
      )
    if (!first.items.includes('unheard')) await resumed.until(() => resumed.items.includes('unheard'))
    await ada.send('bob', 'still unheard')
    await resumed.until(() => resumed.items.includes('still unheard'))

    two.toRedis.restore()
    await Promise.all([one, two].map((node) => readyOnce(node, isWell)))
    await ada.send('bob', 'heard')
    await resumed.until(() => resumed.items.includes('heard'))
  })

  test('Redis hangs: nobody waits for it, and what was said meanwhile comes once it goes on', async () => {
    await using world = await startNodes(2, { channelTimes, config: { rateLimits: true, registrationsPerHour: 100 } })
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    const [bob] = await two.people('bob')
    world.redis.freeze()
    await Promise.all([one, two].map((node) => readyOnce(node, isTroubled)))
    const startedAt = performance.now()
    await ada.send('bob', 'one', 'two')
    await one.people('cyd')
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    world.redis.thaw()
    expect(await bob.received(2)).toEqual(['one', 'two'])
    await Promise.all([one, two].map((node) => readyOnce(node, isWell)))
  })

  test('[P8] a session that is ended while Redis is away receives nothing later than 1 s after', async () => {
    await using world = await startNodes(2, { channelTimes })
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    await using raw = await startRawClient(two.url, ada.token)
    const closed = once(raw.socket, 'close')
    await world.redis.stop()
    await ada.client.logout()
    const endedAt = performance.now()
    const [code] = await closed
    expect(code).toBe(4401)
    expect(performance.now() - endedAt).toBeLessThan(1_000)
  })

  test('[P7] a Redis that comes back empty: everybody knows again who is online', async () => {
    await using world = await startNodes(2, { channelTimes })
    const [one, two] = world.nodes
    const [ada] = await one.people('ada')
    await two.people('bob')
    const { api } = one.plain(ada.token)
    const watch = createInbox<Status>()
    api.onStatus.subscribe(undefined, { onData: ({ statuses }) => statuses.forEach(watch.add) })
    const bobs = (status: Status['status']) =>
      watch.items.filter((s) => s.userId === 'bob' && s.status === status).length
    await watch.until(() => bobs('online') === 1)
    await world.redis.stop()
    // For longer than the lease: nobody can know whether he is there.
    await watch.until(() => bobs('offline') === 1)
    await world.redis.start()
    await watch.until(() => bobs('online') === 2)
    expect((await api.onlineUsers.query()).users.map(({ userId }) => userId)).toEqual(['ada', 'bob'])
  })

  test('[P7] a node that dies without a word leaves no ghosts behind, and it is known when its people were last seen', async () => {
    await using world = await startNodes(3, { channelTimes })
    const [one, two, three] = world.nodes
    const [ada] = await one.people('ada')
    const [bob] = await two.people('bob')
    await two.people('cyd')
    await three.device('cyd')
    const { api } = one.plain(ada.token)
    const watch = createInbox<Status>()
    api.onStatus.subscribe(undefined, { onData: ({ statuses }) => statuses.forEach(watch.add) })
    await watch.until(() => ['bob', 'cyd'].every((name) => watch.items.some(({ userId }) => userId === name)))
    bob.client.close()
    const diedAt = Date.now()
    await two.die()
    const { lastSeenAt } = await watch.first((s): s is Status => s.userId === 'bob' && s.status === 'offline')
    expect(Number(lastSeenAt)).toBeLessThan(diedAt + channelTimes.leaseMs)
    expect((await api.onlineUsers.query()).users.map(({ userId }) => userId)).toEqual(['ada', 'cyd'])
    expect(watch.items.filter((s) => s.userId === 'cyd' && s.status === 'offline')).toEqual([])
  })

  test('limits hold at each node while Redis is away', async () => {
    await using world = await startNodes(2, { channelTimes, config: { rateLimits: true } })
    const [one, two] = world.nodes
    const [ada] = await one.people('ada', 'bob')
    const adaAtTwo = await two.device('ada')
    await world.redis.stop()
    await Promise.all([one, two].map((node) => readyOnce(node, isTroubled)))
    for (const { client } of [ada, adaAtTwo]) {
      // Fifteen seconds' worth beyond the burst, on whatever machine.
      const numbers = Array.from({ length: 100 }, (_, i) => i)
      const sends = await Promise.allSettled(numbers.map((i) => client.sendMessage({ to: 'bob', text: `${i}` })))
      expect(sends.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(20)
      expect(sends.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(5)
    }
  })
})
