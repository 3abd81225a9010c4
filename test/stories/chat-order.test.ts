import { expect, test } from 'vitest'
import { chatOf } from '../harness/chat.ts'
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

test('[P3] an own message that stands before the newest page when that comes is found among the older ones', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  const mayRead = createInbox<true>()
  await using chat = chatOf(ada, {
    calls: (client) => ({
      async history(input, options) {
        await mayRead.until(() => mayRead.items.length > 0)
        return client.history(input, options)
      },
    }),
  })
  const view = chat.conversation('bob')
  view.subscribe(() => {})
  const { clientMessageId, sent } = view.send('one')
  await sent
  await shows(chat.outbox, (drafts) => drafts.length === 0)
  const own = view.getSnapshot().messages
  expect(own).toMatchObject([{ key: clientMessageId, seq: null, status: 'sending' }])

  await bob.send('ada', ...Array.from({ length: 60 }, (_, i) => `${i + 2}`))
  mayRead.add(true)
  const newest = await shows(view, ({ loading }) => loading === null)
  expect(newest.messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, i) => i + 12))
  expect(newest.hasOlder).toBe(true)
  await view.loadOlder()
  const { messages } = view.getSnapshot()
  expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 61 }, (_, i) => i + 1))
  expect(messages[0]).toMatchObject({ key: clientMessageId, text: 'one' })
})
