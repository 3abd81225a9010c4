import { expect, test } from 'vitest'
import { chatOf, isEmpty } from '../harness/chat.ts'
import { createInbox } from '../harness/plain-client.ts'
import { shows } from '../harness/views.ts'
import { startWorld } from '../harness/world.ts'

// A view shows a line without holes, and behind it what has no place there yet.

test('[P3] an own message that was acknowledged before those ahead of it came stays on its way, and can be changed', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  const mayCome = createInbox<true>()
  let isHeld = false
  await using chat = chatOf(ada, {
    calls: (client) => ({
      async *events(options) {
        for await (const event of client.events(options)) {
          if (isHeld && event.type === 'message') await mayCome.until(() => mayCome.items.length > 0)
          yield event
        }
      },
    }),
  })
  const view = chat.conversation('bob')
  await shows(view, ({ loading }) => loading === null)
  await view.send('one').sent
  await shows(view, ({ messages }) => messages[0]?.status === 'delivered')
  const lines = new Set<string>()
  view.subscribe(() =>
    lines.add(
      view
        .getSnapshot()
        .messages.map(({ seq }) => seq ?? '-')
        .join(),
    ),
  )

  isHeld = true
  await bob.send('ada', 'two')
  const { clientMessageId, sent } = view.send('three')
  const message = await sent
  await shows(chat.outbox, (drafts) => drafts.length === 0)
  expect(message.seq).toBe(3)
  const waiting = { key: clientMessageId, id: null, seq: null, status: 'sending', text: 'three' }
  expect(view.getSnapshot().messages).toMatchObject([{ seq: 1 }, waiting])
  const { saved } = view.edit(message.id, 'three, edited')
  expect(view.getSnapshot().messages[1]).toMatchObject({ text: 'three, edited', change: { kind: 'edit' } })
  await saved
  expect(view.getSnapshot().messages[1]).toMatchObject({ ...waiting, text: 'three, edited', change: null })
  expect(() => view.edit(clientMessageId, 'once more')).not.toThrow()

  mayCome.add(true)
  const { messages } = await shows(view, ({ messages }) => messages.length === 3)
  expect(messages.map(({ text }) => text)).toEqual(['one', 'two', expect.stringMatching('three|once more')])
  expect(messages[2]).toMatchObject({ key: clientMessageId, id: message.id, seq: 3 })
  expect([...lines].filter((line) => !/^(1|1,-|1,2|1,2,-|1,2,3)$/.test(line))).toEqual([])
})

const seqs = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

test.for(['before', 'after'] as const)(
  '[P3] an own message that later ones push out of the newest page, acknowledged %s that is read, is found above it',
  async (when) => {
    await using world = await startWorld()
    const [ada, bob] = await world.people('ada', 'bob')
    const [isStored, mayAnswer, mayRead] = [createInbox<true>(), createInbox<true>(), createInbox<true>()]
    const once = (inbox: typeof isStored) => inbox.until(() => inbox.items.length > 0)
    await using chat = chatOf(ada, {
      calls: (client) => ({
        // It would come in by them as well.
        async *events(options) {
          for await (const event of client.events(options)) if (event.type !== 'message') yield event
        },
        async history(input, options) {
          await once(mayRead)
          return client.history(input, options)
        },
        async sendMessage(input, options) {
          const message = await client.sendMessage(input, options)
          isStored.add(true)
          await once(mayAnswer)
          return message
        },
      }),
    })
    const view = chat.conversation('bob')
    view.subscribe(() => {})
    const { clientMessageId, sent } = view.send('one')
    const beAnswered = async () => {
      mayAnswer.add(true)
      await sent
      await isEmpty(chat)
    }
    await once(isStored)
    if (when === 'before') await beAnswered()
    const sending = { key: clientMessageId, seq: null, status: 'sending' }
    expect(view.getSnapshot().messages).toMatchObject([sending])

    await bob.send('ada', ...seqs(2, 61).map(String))
    mayRead.add(true)
    await shows(view, ({ loading }) => loading === null)
    if (when === 'after') {
      expect(view.getSnapshot().messages.at(-1)).toMatchObject(sending)
      await beAnswered()
    }
    const { messages, hasOlder } = view.getSnapshot()
    expect(messages.map(({ seq }) => seq)).toEqual(seqs(12, 61))
    expect(hasOlder).toBe(true)
    await view.loadOlder()
    const whole = view.getSnapshot().messages
    expect(whole.map(({ seq }) => seq)).toEqual(seqs(1, 61))
    expect(whole[0]).toMatchObject({ key: clientMessageId, text: 'one' })
  },
)
