import { expect, test } from 'vitest'
import { createFeed, type FeedEvent } from '../../client-sdk/src/events/feed.ts'
import { ChatError, type ChatEvent, type HistoryPage, type Message } from '../../server/contract/index.ts'
import { createInbox } from '../harness/plain-client.ts'

// What the SDK makes of the events of a server, in orders that are hard to bring about at a real one.

const message = (conversationId: string, seq: number, version: number, sentAt = seq) =>
  ({ conversationId, seq, version, id: `${conversationId}:${seq}`, sentAt: new Date(sentAt) }) as Message
const edited = (...of: Parameters<typeof message>): Message => ({ ...message(...of), editedAt: new Date(99) })
const told = (...of: Parameters<typeof message>): ChatEvent => ({ type: 'message', message: message(...of) })
const changed = (...of: Parameters<typeof message>): ChatEvent => ({ type: 'messageChanged', message: edited(...of) })
const page = (messages: Message[]) => ({ messages, nextAfter: null }) as unknown as HistoryPage
const ready: ChatEvent = { type: 'ready', replay: 'complete' }

/** @param history what `after` asks for; it may wait */
const follow = (cursor: string | undefined, history: (after: number) => Promise<HistoryPage> | HistoryPage) => {
  const events = createInbox<FeedEvent>()
  const left = new AbortController()
  const feed = createFeed({
    cursor,
    hadUpTo: new Map(),
    emit: events.add,
    historyAfter: async (_, after) => history(after),
    onCaughtUp() {},
    fail: events.fail,
    signal: left.signal,
  })
  return {
    take: (data: ChatEvent, id: string) => feed.receive({ id, data }),
    leave: () => left.abort(),
    given: () => events.items.flatMap((event) => (event.type === 'message' ? [event.message.id] : [])),
    /** New messages, and with their versions those that changed. */
    states: () =>
      events.items.flatMap((event) => {
        if (event.type === 'message') return [event.message.id]
        return event.type === 'messageChanged' ? [`${event.message.id} v${event.message.version}`] : []
      }),
    types: () => events.items.map(({ type }) => type),
    cursor: () => events.items.at(-1)?.cursor ?? '',
    until: events.until,
  }
}

test('[P2] what was given while a hole was being filled is not given again behind the cursor of caughtUp', async () => {
  let answer = (_: HistoryPage) => {}
  const loop = follow(
    undefined,
    () =>
      new Promise((resolve) => {
        answer = resolve
      }),
  )
  loop.take({ type: 'ready', replay: 'reset', conversations: [{ conversationId: 'a', afterSeq: 0 }] }, 'v50')
  loop.take({ type: 'caughtUp' }, 'v100')
  loop.take(told('d', 7, 110), 'v110')
  answer(page([message('a', 1, 40), message('a', 2, 105)]))
  await loop.until(() => loop.types().includes('caughtUp'))

  const next = follow(loop.cursor(), () => page([]))
  next.take(ready, 'v100')
  next.take(told('a', 2, 105), 'v105')
  next.take(told('d', 7, 110), 'v110')
  next.take(told('d', 8, 111), 'v111')
  expect(next.given()).toEqual(['d:8'])
})

test('[P2] a late change with an older version takes the cursor back to nothing that was given', () => {
  const loop = follow('v1', () => page([]))
  loop.take({ ...ready, overlap: 100 } as ChatEvent, 'v1')
  for (const [seq, version] of [
    [1, 880],
    [2, 1_000],
  ] as const)
    loop.take(told('a', seq, version), `v${version}`)
  loop.take(told('b', 1, 1_200), 'v1200')
  loop.take(told('c', 1, 950), 'v950')
  expect(loop.cursor()).toMatch(/^v1200;/)
})

test('[P5] numbers that come again are seen for what they are also where only a cursor knows of them', () => {
  const earlier = follow('v89', () => page([]))
  earlier.take({ ...ready, overlap: 20 } as ChatEvent, 'v89')
  earlier.take(told('dm:a|1:b@c', 50, 90, 5_000), 'v90')
  const loop = follow(earlier.cursor(), () => page([]))
  loop.take({ ...ready, overlap: 20 } as ChatEvent, 'v90')
  // A repeat, and an old message that was edited: both keep their times.
  loop.take(told('dm:a|1:b@c', 50, 90, 5_000), 'v90')
  loop.take(changed('dm:a|1:b@c', 21, 95, 2_100), 'v95')
  loop.take({ type: 'caughtUp' }, 'v150')
  loop.take(told('dm:a|1:b@c', 21, 521, 9_000), 'v521')
  expect(loop.types()).toEqual(['ready', 'messageChanged', 'caughtUp', 'rewound', 'message'])
  expect(loop.given()).toEqual(['dm:a|1:b@c:21'])
  expect(loop.cursor()).toMatch(/^v521;/)
})

test('[P5] a cursor of an earlier version of this package, without times, is read as before', () => {
  const loop = follow('v100;dm:a:b:50;group:x:7', () => page([]))
  loop.take(ready, 'v100')
  loop.take(told('dm:a:b', 50, 101), 'v101')
  loop.take(told('dm:a:b', 51, 102), 'v102')
  loop.take(told('group:x', 8, 103), 'v103')
  expect(loop.given()).toEqual(['dm:a:b:51', 'group:x:8'])
})

test('[P5] each state of a message comes once, and never an older one behind a newer one', () => {
  const loop = follow('v1', () => page([]))
  loop.take(ready, 'v1')
  loop.take(told('a', 1, 10), 'v10')
  loop.take(changed('a', 1, 30), 'v30')
  loop.take(changed('a', 1, 20), 'v20')
  loop.take(changed('a', 1, 30), 'v30')
  loop.take(told('a', 1, 10), 'v30')
  // As a message, since the server does not know that this client has it.
  loop.take({ type: 'message', message: edited('a', 1, 40) }, 'v40')
  loop.take(changed('a', 1, 40), 'v40')
  // One that an earlier run has had.
  loop.take(changed('b', 5, 41), 'v41')
  loop.take(changed('b', 5, 41), 'v41')
  expect(loop.states()).toEqual(['a:1', 'a:1 v30', 'a:1 v40', 'b:5 v41'])
  expect(loop.cursor()).toMatch(/^v41/)
})

test('[P5] one that changed and was never given opens a hole; what changed meanwhile waits, or is overtaken', async () => {
  let answer = (_: HistoryPage) => {}
  const loop = follow('v1', () => new Promise((resolve) => (answer = resolve)))
  loop.take(ready, 'v1')
  loop.take(told('a', 1, 10), 'v10')
  loop.take(changed('a', 4, 40), 'v40')
  loop.take(changed('a', 1, 41), 'v41')
  loop.take(changed('a', 3, 42), 'v42')
  loop.take(told('a', 5, 43), 'v43')
  expect(loop.states()).toEqual(['a:1'])
  // The history is older than the change of 3, and newer than that of 4.
  answer(page([message('a', 2, 11), message('a', 3, 12), edited('a', 4, 50)]))
  await loop.until(() => loop.given().length === 5)
  expect(loop.states()).toEqual(['a:1', 'a:2', 'a:3', 'a:4', 'a:1 v41', 'a:3 v42', 'a:5'])
})

test('[P5] the next message is new to who has it not, also where the server takes it for known', () => {
  const loop = follow('v1', () => page([]))
  loop.take(ready, 'v1')
  loop.take(told('a', 1, 10), 'v10')
  loop.take(changed('a', 2, 30), 'v30')
  loop.take(told('a', 2, 11), 'v30')
  expect(loop.states()).toEqual(['a:1', 'a:2'])
})

test('[P5] receipts and profiles come once in each state, too', () => {
  const loop = follow('v1', () => page([]))
  const receipt = (version: number) =>
    ({ type: 'receipt', receipt: { conversationId: 'a', userId: 'ada', version } }) as unknown as ChatEvent
  const user = (version: number): ChatEvent => ({ type: 'user', user: { userId: 'ada', displayName: 'Ada', version } })
  loop.take(ready, 'v1')
  for (const version of [5, 5, 4, 6]) loop.take(receipt(version), `v${version}`)
  for (const version of [7, 7, 5, 8]) loop.take(user(version), `v${version}`)
  expect(loop.types()).toEqual(['ready', 'receipt', 'receipt', 'user', 'user'])
})

test('[P5] events of a newer server are passed over, and move the cursor on', () => {
  const loop = follow('v1', () => page([]))
  const unknown = { type: 'reactionAdded', message: { id: 'a:1' } } as unknown as ChatEvent
  loop.take(unknown, 'v2')
  loop.take(ready, 'v2')
  loop.take(told('a', 1, 10), 'v10')
  loop.take(unknown, 'v20')
  loop.take(told('a', 2, 30), 'v30')
  loop.take(unknown, 'v40')
  loop.take({ type: 'caughtUp' }, 'v40')
  expect(loop.types()).toEqual(['ready', 'message', 'message', 'caughtUp'])
  expect(loop.cursor()).toBe('v40')
})

test('[P2] messages that got new versions, as they turned up late, are no new messages', () => {
  const loop = follow('v1', () => page([]))
  loop.take(ready, 'v1')
  for (const seq of [1, 2, 3]) loop.take(told('a', seq, seq + 1), `v${seq + 1}`)
  for (const seq of [2, 3]) loop.take(told('a', seq, seq + 100), `v${seq + 100}`)
  expect(loop.given()).toEqual(['a:1', 'a:2', 'a:3'])
  loop.take(told('a', 2, 200, 1_000), 'v200')
  expect(loop.types().slice(4)).toEqual(['messageChanged', 'messageChanged', 'rewound', 'message'])
})

test('who leaves while a hole cannot be filled has left', async () => {
  let asked = 0
  const loop = follow('v1', () => {
    asked++
    throw new ChatError('unavailable')
  })
  loop.take(ready, 'v1')
  loop.take(told('a', 1, 10), 'v10')
  loop.take(told('a', 3, 12), 'v12')
  await new Promise((resolve) => setImmediate(resolve))
  loop.leave()
  await new Promise((resolve) => setImmediate(resolve))
  expect(asked).toBe(1)
  expect(loop.given()).toEqual(['a:1'])
})

test('[P5] a history that is older than what was told is asked again, not hotly', async () => {
  let asked = 0
  const loop = follow('v1', (after) => {
    expect(after).toBe(1)
    return page(++asked < 3 ? [] : [message('a', 2, 11), message('a', 3, 12)])
  })
  loop.take(ready, 'v1')
  loop.take(told('a', 1, 10), 'v10')
  loop.take(told('a', 3, 12), 'v12')
  await loop.until(() => loop.given().length === 3)
  expect(asked).toBe(3)
  expect(loop.given()).toEqual(['a:1', 'a:2', 'a:3'])
})
