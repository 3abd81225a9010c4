import { expect, test } from 'vitest'
import { createFeed, type FeedEvent } from '../../client-sdk/src/feed.ts'
import { createPlace } from '../../client-sdk/src/place.ts'
import { ChatError, type ChatEvent, type HistoryPage, type Message } from '../../server/contract/index.ts'
import { createInbox } from '../harness/plain-client.ts'

// What the SDK makes of the events of a server, in orders that are hard to bring about at a real one.

const message = (conversationId: string, seq: number, version: number, sentAt = seq) =>
  ({ conversationId, seq, version, id: `${conversationId}:${seq}`, sentAt: new Date(sentAt) }) as Message
const told = (...of: Parameters<typeof message>): ChatEvent => ({ type: 'message', message: message(...of) })
const page = (messages: Message[]) => ({ messages, nextAfter: null }) as unknown as HistoryPage
const ready: ChatEvent = { type: 'ready', replay: 'complete' }

/** @param history what `after` asks for; it may wait */
const follow = (cursor: string | undefined, history: (after: number) => Promise<HistoryPage> | HistoryPage) => {
  const events = createInbox<FeedEvent>()
  const left = new AbortController()
  const feed = createFeed({
    place: createPlace(cursor),
    give: events.add,
    historyAfter: async (_, after) => history(after),
    onCaughtUp() {},
    fail: events.fail,
    signal: left.signal,
  })
  return {
    take: feed.take,
    leave: () => left.abort(),
    given: () => events.items.flatMap((event) => (event.type === 'message' ? [event.message.id] : [])),
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
  const loop = follow('v100;dm:a:b:50', () => page([]))
  loop.take(ready, 'v100')
  loop.take(told('dm:a:b', 50, 90), 'v100')
  loop.take({ type: 'caughtUp' }, 'v150')
  loop.take(told('dm:a:b', 21, 521), 'v521')
  expect(loop.types()).toEqual(['ready', 'caughtUp', 'putBack', 'message'])
  expect(loop.given()).toEqual(['dm:a:b:21'])
  expect(loop.cursor()).toBe('v521')
})

test('[P2] messages that got new versions, as they turned up late, are repeats all the same', () => {
  const loop = follow('v1', () => page([]))
  loop.take(ready, 'v1')
  for (const seq of [1, 2, 3]) loop.take(told('a', seq, seq + 1), `v${seq + 1}`)
  for (const seq of [2, 3]) loop.take(told('a', seq, seq + 100), `v${seq + 100}`)
  expect(loop.given()).toEqual(['a:1', 'a:2', 'a:3'])
  loop.take(told('a', 2, 200, 1_000), 'v200')
  expect(loop.types().slice(4)).toEqual(['putBack', 'message'])
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
