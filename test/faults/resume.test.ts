import { expect, test } from 'vitest'
import type { ChatEvent, Message } from '../../server/contract/index.ts'
import { isLongForm } from '../harness/long-forms.ts'
import { startNetwork } from '../harness/network.ts'
import { connectPlain, isMessage } from '../harness/plain-client.ts'
import { startWorld } from '../harness/world.ts'

const cuts = isLongForm ? 50 : 15

test(`[P2] [P3] [P5] ${cuts} cuts under load: nothing lost, doubled or reordered, for the SDK and for a plain client`, async () => {
  await using world = await startWorld()
  const [ada, bob, cyd] = await world.people('ada', 'bob', 'cyd')
  // A plain tRPC client of Cyd's on a network of its own, beside her SDK.
  await using plainNetwork = await startNetwork(world.url)
  await using plain = connectPlain(plainNetwork.url, cyd.token)
  const atPlain = plain.follow()
  const atSdk = cyd.inbox
  const count = (type: ChatEvent['type']) => atPlain.items.filter((event) => event.type === type).length
  await atPlain.until(() => count('ready') === 1)

  let cutting = true
  const sendOn = async (sender: typeof ada) => {
    while (cutting) await sender.client.sendMessage({ to: 'cyd', text: 'on and on' })
  }
  const sending = Promise.all([ada, ada, ada, bob, bob, bob].map(sendOn))
  for (let cut = 1; cut <= cuts; cut++) {
    const before = { sdk: atSdk.items.length, plain: count('message') }
    cyd.network.kick()
    plainNetwork.kick()
    // Both are back and in the middle of it, then comes the next.
    await atSdk.until(() => atSdk.items.length > before.sdk)
    await atPlain.until(() => count('ready') === cut + 1 && count('message') > before.plain)
  }
  cutting = false
  await sending

  for (const sender of ['ada', 'bob']) {
    const [last] = (await cyd.client.history({ conversation: sender, limit: 1 })).messages
    const total = last?.seq ?? 0
    const seqs = (messages: Message[]) => messages.filter((message) => message.sender === sender).map(({ seq }) => seq)
    const plainMessages = () => atPlain.items.filter(isMessage).map(({ message }) => message)
    await atSdk.until(() => seqs(atSdk.items).includes(total))
    await atPlain.until(() => seqs(plainMessages()).includes(total))
    const dense = Array.from({ length: total }, (_, i) => i + 1)
    expect(total).toBeGreaterThan(cuts)
    expect(seqs(atSdk.items)).toEqual(dense)
    expect(seqs(plainMessages())).toEqual(dense)
  }
})

test('[P5] the sender is cut as well: what she sent arrives once, in the order of her acknowledgements', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  const texts = Array.from({ length: 200 }, (_, i) => `${i}`)
  const sending = ada.send('bob', ...texts)
  for (let cut = 1; cut <= 20; cut++) {
    await bob.inbox.until(() => bob.inbox.items.length >= cut * 9)
    ada.network.kick()
  }
  await sending
  expect(await bob.received(200)).toEqual(texts)
})
