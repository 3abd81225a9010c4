import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type ChatClient, createClientOn } from '../../client-sdk/src/client.ts'
import { sleep } from '../../client-sdk/src/connection/sleep.ts'
import { createChat, createClient, type Message } from '../../client-sdk/src/node.ts'
import { speedUp } from '../harness/fast-time.ts'
import { createInbox } from '../harness/plain-client.ts'
import { fair, startRoughNetwork, trickling } from '../harness/rough-network.ts'
import { statesOf } from '../harness/states.ts'
import { shows } from '../harness/views.ts'
import { startWorld } from '../harness/world.ts'

// 2 kB/s is what GPRS gives on a bad day: whatever is sent and missed arrives, with time running so many times as fast.

const haste = 20
/** A client that gets nothing through is found by it. */
const timeout = 30_000
const slow = { ...fair, up: trickling(2_000), down: trickling(2_000) }
/** Nearly 12 kB, the largest there is. */
const longText = (n: number) => `${n} ${'漢'.repeat(3_980)}`
const texts = (count: number, text: (n: number) => string) => Array.from({ length: count }, (_, i) => text(i))

const ways = {
  'a WebSocket that tells of bytes': { create: createClient, webSockets: 'pass' },
  'a WebSocket that tells of whole frames, as in browsers': {
    create: (options: { url: string; token: string }) => createClientOn((url) => new WebSocket(url), options),
    webSockets: 'pass',
  },
  'plain HTTP': { create: createClient, webSockets: 'refused' },
} as const

/** Ada's network is a good one; Bob comes in over the slow link. */
const startOnSlowLink = async (way: keyof typeof ways, missed: string[]) => {
  const { create, webSockets } = ways[way]
  const world = await startWorld({ webSockets })
  const [ada, home] = await world.people('ada', 'bob')
  home.client.close()
  await ada.send('bob', ...missed)
  const fast = speedUp(haste)
  const network = await startRoughNetwork(() => world.proxy.url)
  network.become(slow)
  const client: ChatClient = create({ url: network.url, token: home.token })
  return {
    ada,
    client,
    network,
    async [Symbol.asyncDispose]() {
      client.close()
      await network[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
      fast[Symbol.dispose]()
    },
  }
}

const isOnce = (messages: Message[], count: number) =>
  expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, i) => i + 1))

describe('over a link of 2 kB/s', () => {
  const cases = Object.keys(ways).flatMap((way) =>
    [
      { title: 'many short messages', missed: texts(40, (n) => `${n} ${'a'.repeat(60)}`) },
      { title: 'messages of a page', missed: texts(20, (n) => `${n} ${'a'.repeat(1_000)}`) },
      { title: 'the longest messages', missed: texts(4, longText) },
    ].map((story) => ({ ...story, way: way as keyof typeof ways })),
  )
  test.for(cases)(
    '[P2] [P5] $title that were missed come, to a chat and a loop, over $way',
    { timeout },
    async ({ way, missed }) => {
      await using story = await startOnSlowLink(way, missed)
      const { client } = story
      const inbox = createInbox<Message>()
      const listen = async () => {
        for await (const message of client.messages()) inbox.add(message)
      }
      void listen().catch(inbox.fail)
      const chat = createChat(client, { userId: 'bob' })
      const conversation = chat.conversation('ada')
      await shows(conversation, ({ messages }) => messages.at(-1)?.seq === missed.length)
      await shows(chat.conversations, ({ conversations }) => conversations.length === 1)
      await inbox.until(() => inbox.items.length >= missed.length)
      isOnce(inbox.items, missed.length)
      await chat.close()
    },
  )

  test.for(Object.keys(ways) as (keyof typeof ways)[])(
    '[P3] [P4] long messages are sent, over %s',
    { timeout },
    async (way) => {
      await using story = await startOnSlowLink(way, [])
      const chat = createChat(story.client, { userId: 'bob' })
      const sent = texts(3, longText)
      const toAda = chat.conversation('ada')
      for (const text of sent) toAda.send(text)
      chat.conversation('bob').send(longText(4))
      expect(await story.ada.received(3)).toEqual(sent)
      await shows(chat.outbox, (drafts) => drafts.length === 0)
      await chat.close()
    },
  )

  test('a call whose answer is on its way is waited for, over a WebSocket that tells of bytes', {
    timeout,
  }, async () => {
    await using story = await startOnSlowLink(
      'a WebSocket that tells of bytes',
      texts(50, (n) => `${n} ${'a'.repeat(1_000)}`),
    )
    const { messages } = await story.client.history({ conversation: 'ada', limit: 50 })
    isOnce(messages, 50)
  })

  test('once it is quick again, a dead network is noticed within 5 s again', { timeout }, async () => {
    await using story = await startOnSlowLink('a WebSocket that tells of whole frames, as in browsers', [])
    const { client, network } = story
    // It only makes the link known as a slow one; on a busy machine that takes a while, with time running so fast.
    await client.sendMessage({ to: 'ada', text: longText(1) }, { timeoutMs: timeout * haste })
    network.become(fair)
    const states = statesOf(client)
    // Some calm, in which the server is asked for signs of life.
    await sleep(15_000)
    network.become({ ...fair, up: { ...fair.up, isHeld: true }, down: { ...fair.down, isHeld: true } })
    const inTime = sleep(6_000).then(() => 'too late')
    expect(await Promise.race([states.next('offline'), inTime])).toMatchObject({ status: 'offline' })
  })
})
