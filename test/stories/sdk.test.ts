import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createClientOn } from '../../client-sdk/src/client.ts'
import { createDeliveryAcks, type DeliveryAck } from '../../client-sdk/src/events/delivery-acks.ts'
import { type ChatClient, createClient } from '../../client-sdk/src/node.ts'
import type { SocketLike } from '../../client-sdk/src/transport/socket.ts'
import { ChatError, type ChatEvent, type Message } from '../../server/contract/index.ts'
import { createInbox, isReceipt } from '../harness/plain-client.ts'
import { isWithin } from '../harness/states.ts'
import { password, startWorld, type World } from '../harness/world.ts'

// What the SDK's loops and calls promise. How it keeps its connection is told in sdk-connection.test.ts, whose it is in
// sdk-sign-in.test.ts.

/** Bob's account, with these texts of Ada's waiting for him, and a way to open clients of his. */
const waitingFor = async (world: World, ...texts: string[]) => {
  const [ada, bob] = await world.people('ada', 'bob')
  bob.client.close()
  await ada.send('bob', ...texts)
  return { ada, bob, open: () => createClient({ url: bob.network.url, token: bob.token }) }
}

/** So many texts from a loop that is then left, with all of them delivered. */
const take = async (client: ChatClient, count: number): Promise<string[]> => {
  const texts: string[] = []
  const left = new AbortController()
  for await (const { text } of client.messages({ signal: left.signal })) {
    if (texts.push(text) === count) left.abort()
  }
  return texts
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}`)

const isDelivered =
  (seq: number) =>
  (event: ChatEvent): event is Extract<ChatEvent, { type: 'receipt' }> =>
    isReceipt(event) && event.receipt.userId === 'bob' && event.receipt.deliveredSeq === seq

describe.concurrent('loops', () => {
  test('[P2] [P6] who leaves a loop after one of three messages gets the other two in the next, at once or after a restart', async () => {
    await using world = await startWorld()
    const { ada, open } = await waitingFor(world, 'one', 'two', 'three')
    const receipts = world.plain(ada.token).follow({ ack: 'client' })
    const client = open()
    expect(await take(client, 1)).toEqual(['one'])
    expect(await take(client, 1)).toEqual(['two'])
    // Closing says what was not said yet.
    client.close()
    await receipts.first(isDelivered(2))
    const restarted = open()
    expect(await take(restarted, 1)).toEqual(['three'])
    restarted.close()
    await receipts.first(isDelivered(3))
  })

  test('[P5] [P6] a bot that crashed at a message, or left with `break`, gets it again: in its next loop, and after a restart', async () => {
    await using world = await startWorld()
    const { ada, open } = await waitingFor(world, 'zero', 'one', 'two')
    const receipts = world.plain(ada.token).follow({ ack: 'client' })
    const seen: string[] = []
    const handle = async (client: ChatClient) => {
      for await (const { text } of client.messages()) {
        seen.push(text)
        if (text === 'one') throw new Error('a bug')
      }
    }
    const bot = open()
    await expect(handle(bot)).rejects.toThrow('a bug')
    await expect(handle(bot)).rejects.toThrow('a bug')
    for await (const { text } of bot.messages()) {
      seen.push(text)
      break
    }
    bot.close()
    expect(seen).toEqual(['zero', 'one', 'one', 'one'])
    await receipts.first(isDelivered(1))
    const restarted = open()
    expect(await take(restarted, 2)).toEqual(['one', 'two'])
    restarted.close()
    await receipts.first(isDelivered(3))
  })

  test('[P5] catchingUp is said until all that was missed has come', async () => {
    await using world = await startWorld()
    const { open } = await waitingFor(world, 'one', 'two', 'three')
    const client = open()
    const statuses: string[] = []
    client.onState(({ status }) => statuses.push(status))
    const types: string[] = []
    for await (const { type } of client.events()) if (types.push(type) && type === 'caughtUp') break
    // What she has had is told to her too, before or after.
    const missed = types.filter((type) => type !== 'receipt')
    expect(missed).toEqual(['ready', 'message', 'message', 'message', 'caughtUp'])
    expect(statuses).toEqual(['connecting', 'catchingUp', 'live'])
    client.close()
  })

  test('[P2] [P3] [P10] a reader who falls behind stops the flow, and gets the rest in order when she goes on', async () => {
    await using world = await startWorld()
    const { ada, bob } = await waitingFor(world, 'first')
    const stops: string[] = []
    const client = createClientOn(
      (url) => {
        const socket = new WebSocket(url)
        const send = socket.send.bind(socket) as (text: string) => void
        const noting = (text: string) => {
          if (text.includes('subscription.stop')) stops.push(text)
          send(text)
        }
        return Object.assign(socket, { send: noting }) as SocketLike
      },
      { url: bob.network.url, token: bob.token },
    )
    const loop = client.messages()
    expect((await loop.next()).value).toMatchObject({ text: 'first' })
    for (let sent = 0; sent < 2_400; sent += 40) {
      await Promise.all(
        Array.from({ length: 40 }, (_, i) => ada.client.sendMessage({ to: 'bob', text: `${sent + i}` })),
      )
    }
    const seqs: number[] = []
    for await (const { seq } of loop) if (seqs.push(seq) === 2_400) break
    expect(seqs).toEqual(Array.from({ length: 2_400 }, (_, i) => i + 2))
    expect(stops.length).toBeGreaterThan(0)
    client.close()
  })

  test('[P9] a reader who fell behind hears that the session has ended, and nothing of the next one', async () => {
    await using world = await startWorld()
    const { ada, bob, open } = await waitingFor(world, 'first')
    const client = open()
    const loop = client.messages()
    await loop.next()
    const texts = numbered(1_100)
    for (const part of [texts.slice(0, 550), texts.slice(550)]) {
      await Promise.all(part.map((text) => ada.client.sendMessage({ to: 'bob', text })))
    }
    const own = createInbox<Message>()
    const listen = async () => {
      for await (const message of client.messages()) own.add(message)
    }
    const other = listen()
    // The slow loop's share has come as well, and it takes no more.
    await own.until(() => own.items.length === 1_100)
    await client.logout()
    await expect(other).rejects.toMatchObject({ kind: 'sessionEnded' })
    await client.register({ username: 'cyd', password })
    await ada.send('cyd', 'not for bob')
    await expect(loop.next()).rejects.toMatchObject({ kind: 'sessionEnded' })
    client.close()
    await bob.network[Symbol.asyncDispose]()
  })

  test('[P5] the cursor of an event leads behind it, however many more had come', async () => {
    await using world = await startWorld()
    const { open } = await waitingFor(world, 'one', 'two', 'three')
    const client = open()
    let cursor = ''
    for await (const event of client.events()) {
      cursor = event.cursor
      if (event.type === 'message') break
    }
    const seen: string[] = []
    for await (const event of client.events({ cursor })) {
      if (event.type === 'message' && seen.push(event.message.text) === 2) break
    }
    expect(seen).toEqual(['two', 'three'])
    client.close()
  })

  test('a loop that is left before its first value, while it connects, or while it waits, leaves nothing behind', async () => {
    let listeners = 0
    await using world = await startWorld({
      adapt: (ports) => ({
        ...ports,
        bus: {
          ...ports.bus,
          listen(audiences, onChange, onGap) {
            const unlisten = ports.bus.listen(audiences, onChange, onGap)
            if (!audiences.includes('bob')) return unlisten
            listeners++
            return () => {
              listeners--
              unlisten()
            }
          },
        },
      }),
    })
    const { open } = await waitingFor(world)
    const client = open()
    const abort = new AbortController()
    const unstarted = client.events({ signal: abort.signal })
    await client.statuses().return()
    const connecting = client.messages()
    const first = connecting.next()
    expect(client.state.status).toBe('connecting')
    expect(await connecting.return()).toEqual({ done: true, value: undefined })
    expect(await first).toEqual({ done: true, value: undefined })
    abort.abort()
    expect((await unstarted.next()).done).toBe(true)
    const waiting = client.messages()
    const next = waiting.next()
    await client.me()
    await waiting.return()
    expect((await next).done).toBe(true)
    // What is left watches over the session.
    await expect.poll(() => listeners).toBe(1)
    client.close()
  })

  test('a signal ends a loop for the server even when the reader never comes back', async () => {
    await using world = await startWorld()
    const { ada, open } = await waitingFor(world, 'one')
    const client = open()
    const abort = new AbortController()
    const loop = client.messages({ signal: abort.signal })
    expect((await loop.next()).value).toMatchObject({ text: 'one' })
    abort.abort()
    await ada.send('bob', 'two')
    expect((await loop.next()).done).toBe(true)
    expect(await take(client, 1)).toEqual(['two'])
    client.close()
  })

  test('close() ends loops without an error, and calls with the error closed', async () => {
    await using world = await startWorld()
    const { open } = await waitingFor(world, 'one')
    const client = open()
    const seen: string[] = []
    const statuses = client.statuses()
    await statuses.next()
    for await (const { text } of client.messages()) {
      seen.push(text)
      client.close()
    }
    expect(seen).toEqual(['one'])
    expect((await statuses.next()).done).toBe(true)
    await expect(client.me()).rejects.toMatchObject({ kind: 'closed' })
    await expect(client.messages().next()).rejects.toMatchObject({ kind: 'closed' })
  })

  test.each([
    ['before its first message', 'ready', 0],
    ['after it', 'message', 1],
  ])(
    '[P2] [P5] a program that ended %s and missed more than is replayed gets all of it, once and in order',
    async (_, last, taken) => {
      await using world = await startWorld()
      const { ada, open } = await waitingFor(world, 'zero', 'one')
      const client = open()
      let cursor = ''
      for await (const event of client.events()) {
        cursor = event.cursor
        if (event.type === last) break
      }
      client.close()
      const missed = Array.from({ length: 1_001 }, (_, i) => `missed ${i}`)
      for (const part of [missed.slice(0, 500), missed.slice(500)])
        await Promise.all(part.map((text) => ada.client.sendMessage({ to: 'bob', text })))
      const restarted = open()
      const seen: number[] = []
      for await (const { text, seq } of restarted.messages({ cursor })) {
        if (seen.push(seq) === 3) await ada.send('bob', 'meanwhile')
        if (text === 'meanwhile') break
      }
      expect(seen).toEqual(Array.from({ length: 1_004 - taken }, (_, i) => taken + i + 1))
      restarted.close()
    },
  )

  test('[P5] a feed that the server cannot serve for a while goes on by itself; one that it refuses throws', async () => {
    let failures = 0
    await using world = await startWorld({
      adapt: (ports) => ({
        ...ports,
        store: {
          ...ports.store,
          async *undelivered(...query) {
            if (failures++ < 2) throw new ChatError('unavailable')
            yield* ports.store.undelivered(...query)
          },
        },
      }),
    })
    const { ada, bob, open } = await waitingFor(world, 'one')
    failures = 0
    const client = open()
    expect(await take(client, 1)).toEqual(['one'])
    expect(failures).toBeGreaterThan(2)

    const loop = client.messages()
    const two = loop.next()
    await client.me()
    // The server ends the feed without a word; whichever id it has.
    for (let id = 1; id < 30; id++) bob.network.inject(`{"id":${id},"result":{"type":"stopped"}}`)
    await client.me()
    await ada.send('bob', 'two')
    expect((await two).value).toMatchObject({ text: 'two' })
    await expect(client.events({ cursor: 'mine' }).next()).rejects.toMatchObject({ kind: 'badCursor' })
    client.close()
  })

  test('[P6] marks of delivery that are refused are said again later, not hotly', async () => {
    let calls = 0
    await using world = await startWorld({
      adapt: (ports) => ({
        ...ports,
        store: {
          ...ports.store,
          async advance(marks) {
            const isBobs = marks.some(({ userId }) => userId === 'bob')
            if (isBobs && calls++ === 0) throw new ChatError('rateLimited', { retryAfterMs: 500 })
            return ports.store.advance(marks)
          },
        },
      }),
    })
    const { ada, open } = await waitingFor(world, 'one')
    const receipts = world.plain(ada.token).follow({ ack: 'client' })
    const client = open()
    expect(await take(client, 1)).toEqual(['one'])
    await receipts.first(isDelivered(1))
    expect(calls).toBe(2)
    client.close()
  })
})

test('[P6] what was taken just before she logs out is known as delivered', async () => {
  await using world = await startWorld()
  const { ada, open } = await waitingFor(world, 'one')
  const receipts = world.plain(ada.token).follow({ ack: 'client' })
  const client = open()
  expect(await take(client, 1)).toEqual(['one'])
  await client.logout()
  await receipts.first(isDelivered(1))
  client.close()
})

test('where nobody answers, logout takes no longer than it may', async () => {
  await using world = await startWorld()
  const { bob, open } = await waitingFor(world, 'one')
  const client = open()
  const loop = client.messages()
  await loop.next()
  bob.network.mute()
  // Taken, and not known to be delivered.
  void loop.next()
  const loggedOut = expect(client.logout(undefined, { timeoutMs: 300 })).rejects.toMatchObject({ kind: 'timedOut' })
  expect(await isWithin(loggedOut, 300, 300)).toBe(true)
  client.close()
})

test('[P6] a mark that the server refuses keeps no other from it', async () => {
  const sent: DeliveryAck[][] = []
  const delivered = createInbox<DeliveryAck>()
  const deliveries = createDeliveryAcks(async (marks) => {
    sent.push(marks)
    if (marks.some(({ conversationId }) => conversationId === 'lost')) throw new ChatError('unknownMessage')
    for (const mark of marks) delivered.add(mark)
  })
  for (const conversationId of ['one', 'lost', 'two']) deliveries.add(conversationId, 1)
  await delivered.until(() => delivered.items.length === 2)
  expect(delivered.items.map(({ conversationId }) => conversationId)).toEqual(['one', 'two'])
  expect(sent.map(({ length }) => length)).toEqual([3, 1, 1, 1])
})

describe.concurrent('calls', () => {
  test('a time-out may be as long as one likes', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    const client = createClient({ url: world.url, token: ada.token, callTimeoutMs: Number.POSITIVE_INFINITY })
    expect((await client.me()).userId).toBe('ada')
    expect((await client.me(undefined, { timeoutMs: 2 ** 40 })).userId).toBe('ada')
    client.close()
  })

  test('one signal may be given to as many calls as one likes: node does not warn', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    const warnings: string[] = []
    const note = ({ name }: Error) => warnings.push(name)
    process.on('warning', note)
    const { signal } = new AbortController()
    await Promise.all(Array.from({ length: 20 }, () => ada.client.me(undefined, { signal })))
    process.off('warning', note)
    expect(warnings).not.toContain('MaxListenersExceededWarning')
  })

  test('[P4] a message without a clientMessageId gets one, also where it is given as undefined', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const sent = await ada.client.sendMessage({ to: 'bob', text: 'one', clientMessageId: undefined })
    expect(sent.clientMessageId).toMatch(/^[\w-]{20,}$/)
    expect(await bob.received(1)).toEqual(['one'])
  })

  test('[P10] a call that is too large for the server is refused before it is sent', async () => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const huge = { to: 'bob', text: '€'.repeat(22_000) }
    await expect(ada.client.sendMessage(huge)).rejects.toMatchObject({ kind: 'tooLarge', retryable: false })
    const users = Array.from({ length: 5_000 }, (_, i) => `somebody-${i}`)
    await expect(ada.client.statuses({ users }).next()).rejects.toMatchObject({ kind: 'tooLarge' })
    await ada.send('bob', 'still here')
    expect(await bob.received(1)).toEqual(['still here'])
  })

  test('an error has the line of its caller in its stack', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    const sendToNobody = async () => {
      await ada.client.sendMessage({ to: 'nobody', text: 'hello?' })
    }
    const error = await sendToNobody().catch((error: unknown) => error)
    expect(error).toMatchObject({ kind: 'unknownUser', stack: expect.stringContaining('sendToNobody') })
  })

  test('a wrong address is told what an address is', async () => {
    await using world = await startWorld()
    const [ada] = await world.people('ada')
    await expect(ada.client.sendMessage({ to: 'no one', text: 'hello' })).rejects.toThrow(
      /^to: An address is a user id .* or a conversation/,
    )
  })
})
