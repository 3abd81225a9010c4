import { expect, test } from 'vitest'
import { startWorld } from '../harness/world.ts'

const seqs = ({ messages }: { messages: { seq: number }[] }) => messages.map(({ seq }) => seq)

test('history goes back and forth by seq and by time, page by page', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  const sent = await ada.send('bob', ...Array.from({ length: 25 }, (_, i) => `${i + 1}`))
  const history = (place: object) => bo.client.history({ conversation: 'ada', limit: 10, ...place })

  const newest = await history({})
  expect(seqs(newest)).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25])
  expect(newest).toMatchObject({ conversationId: 'dm:ada:bob', nextBefore: 16, nextAfter: null })

  const middle = await history({ before: newest.nextBefore })
  expect(seqs(middle)).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
  const oldest = await history({ before: middle.nextBefore })
  expect(seqs(oldest)).toEqual([1, 2, 3, 4, 5])
  expect(oldest).toMatchObject({ nextBefore: null, nextAfter: 5 })

  expect(seqs(await history({ after: 5 }))).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
  expect(seqs(await history({ after: 0 }))[0]).toBe(1)
  expect(seqs(await history({ around: 12 }))).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17])
  expect(seqs(await history({ around: 1 }))[0]).toBe(1)

  const time = sent[9]?.sentAt as Date
  const before = await history({ beforeTime: time })
  expect(before.messages.every(({ sentAt }) => sentAt < time)).toBe(true)
  const firstAtTime = sent.find(({ sentAt }) => sentAt.getTime() === time.getTime())
  expect(before.messages.at(-1)?.seq ?? 0).toBe((firstAtTime?.seq ?? 0) - 1)
})

test('[P10] a page is measured as it travels, whatever its texts are made of, and none of them is skipped', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  // As JSON six bytes, three, and one a character.
  const texts = ['\u0001', '漢', 'a'].flatMap((character) => Array.from({ length: 20 }, () => character.repeat(4_000)))
  await Promise.all(texts.map((text) => ada.client.sendMessage({ to: 'bob', text })))
  const sizes: number[] = []
  const seen: number[] = []
  for (let before: number | null | undefined; before !== null; ) {
    const page = await bob.client.history({ conversation: 'ada', limit: 100, ...(before !== undefined && { before }) })
    sizes.push(Buffer.byteLength(JSON.stringify(page.messages.map(({ text }) => text))))
    seen.unshift(...seqs(page))
    before = page.nextBefore
  }
  expect(seen).toEqual(texts.map((_, i) => i + 1))
  expect(Math.max(...sizes)).toBeLessThan(66_000)
  // 16 of one byte, 5 of three, 2 of six to a page.
  expect(sizes.length).toBeLessThanOrEqual(2 + 4 + 10 + 2)
})

test('a conversation in which nothing was said is an empty page', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada', 'bob')
  const page = await ada.client.history({ conversation: 'bob' })
  expect(page).toMatchObject({
    conversationId: 'dm:ada:bob',
    messages: [],
    people: [{ userId: 'ada' }, { userId: 'bob' }],
    nextBefore: null,
    nextAfter: null,
  })
  expect(await ada.client.history({ conversation: 'bob', after: 7 })).toMatchObject({ messages: [] })
})
