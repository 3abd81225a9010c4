import { describe, expect, test } from 'vitest'
import type { Message } from '../../server/contract/index.ts'
import { findTestMongo, temporaryDatabase } from '../harness/mongo.ts'
import { startNetwork } from '../harness/network.ts'
import { connectPlain, isMessage, isReceipt } from '../harness/plain-client.ts'
import { startWorld } from '../harness/world.ts'

const { uri: server, missing } = await findTestMongo()

/** The real app on MongoDB. What the store itself keeps is proven by its contract; here it is told once in all. */
const startMongoWorld = async () => {
  const database = temporaryDatabase(server as string)
  const world = await startWorld({ config: { mongodbUri: database.uri } })
  return {
    world,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]()
      await database.drop()
    },
  }
}

describe.skipIf(missing)(`on MongoDB${missing ? ` (skipped: ${missing})` : ''}`, () => {
  test('[P1] [P2] [P3] [P6] two people talk, one is away, the server restarts, and all is where it was', async () => {
    await using started = await startMongoWorld()
    const { world } = started
    const [ada, bob] = await world.people('ada', 'bob')
    const receipts = world.plain(ada.token).follow({ ack: 'client' })
    await ada.send('bob', 'one', 'two')
    expect(await bob.received(2)).toEqual(['one', 'two'])
    await bob.send('ada', 'three')
    expect(await ada.received(1)).toEqual(['three'])
    bob.network.cut()
    await ada.send('bob', 'four')
    await world.restart()
    bob.network.restore()
    expect(await bob.received(3)).toEqual(['one', 'two', 'four'])

    const { messages } = await ada.client.history({ conversation: 'bob' })
    expect(messages.map(({ seq, sender, text }) => [seq, sender, text])).toEqual([
      [1, 'ada', 'one'],
      [2, 'ada', 'two'],
      [3, 'bob', 'three'],
      [4, 'ada', 'four'],
    ])
    await bob.client.markRead({ messageId: messages[3]!.id })
    await receipts.first((event): event is typeof event => isReceipt(event) && event.receipt.readSeq === 4)
    const { conversations } = await ada.client.conversations()
    expect(conversations).toMatchObject([
      { id: 'dm:ada:bob', unread: 1, lastMessage: { text: 'four', delivered: true, read: true } },
    ])
    expect((await ada.client.history({ conversation: 'bob', beforeTime: messages[2]!.sentAt })).messages).toHaveLength(
      2,
    )
  })

  test('[P5] somebody who was never there gets all that was sent to her; more than is replayed is read from the history', async () => {
    await using started = await startMongoWorld()
    const { world } = started
    const [ada, bob, cyd] = await world.people('ada', 'bob', 'cyd')
    bob.client.close()
    const sendMany = (texts: string[]) => Promise.all(texts.map((text) => ada.client.sendMessage({ to: 'bob', text })))
    const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${from + i}`)
    await sendMany(numbers(0, 450))
    await cyd.send('bob', 'beside it')
    const inbox = world.plain(bob.token).follow()
    const first = await inbox.some(451, isMessage)
    const fromAda = first.filter(({ message }) => message.sender === 'ada')
    expect(fromAda.map(({ message }) => message.seq)).toEqual(Array.from({ length: 450 }, (_, i) => i + 1))
    inbox.stop()

    const device = await world.device('bob')
    const events = device.client.events()
    const { value: ready } = await events.next()
    await events.return()
    for (const from of [450, 950, 1450]) await sendMany(numbers(from, from + 500))
    const seqs: number[] = []
    for await (const { sender, seq } of device.client.messages({ cursor: ready!.cursor })) {
      if (sender === 'ada' && seq > 450 && seqs.push(seq) === 1_500) break
    }
    expect(seqs).toEqual(Array.from({ length: 1_500 }, (_, i) => 451 + i))
  })

  test('[P2] [P3] [P5] cuts under load: nothing lost, doubled or reordered for the SDK; a plain client knows a repeat by its id', async () => {
    await using started = await startMongoWorld()
    const { world } = started
    const [ada, bob, cyd] = await world.people('ada', 'bob', 'cyd')
    await using plainNetwork = await startNetwork(world.url)
    await using plain = connectPlain(plainNetwork.url, cyd.token)
    const atPlain = plain.follow()
    const readies = () => atPlain.items.filter(({ type }) => type === 'ready').length
    await atPlain.until(() => readies() === 1)

    let cutting = true
    const sendOn = async (sender: typeof ada) => {
      while (cutting) await sender.client.sendMessage({ to: 'cyd', text: 'on and on' })
    }
    const sending = Promise.all([ada, ada, bob, bob].map(sendOn))
    for (let cut = 1; cut <= 15; cut++) {
      const before = cyd.inbox.items.length
      cyd.network.kick()
      plainNetwork.kick()
      await cyd.inbox.until(() => cyd.inbox.items.length > before)
      await atPlain.until(() => readies() === cut + 1)
    }
    cutting = false
    await sending

    for (const sender of ['ada', 'bob']) {
      const [last] = (await cyd.client.history({ conversation: sender, limit: 1 })).messages
      const total = last?.seq ?? 0
      const seqs = (messages: Message[]) =>
        messages.filter((message) => message.sender === sender).map(({ seq }) => seq)
      const once = () => [
        ...new Map(atPlain.items.filter(isMessage).map(({ message }) => [message.id, message])).values(),
      ]
      await cyd.inbox.until(() => seqs(cyd.inbox.items).includes(total))
      await atPlain.until(() => seqs(once()).includes(total))
      const dense = Array.from({ length: total }, (_, i) => i + 1)
      expect(seqs(cyd.inbox.items)).toEqual(dense)
      expect(seqs(once())).toEqual(dense)
    }
  })
})
