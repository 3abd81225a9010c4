import { beforeEach, describe, expect, test } from 'vitest'
import type { StoredMessage } from '../../server/domain/ports.ts'
import { rises } from './store-subjects.ts'
import { draft, type StoreWorld } from './store-world.ts'

/** Texts that stores have been known to change. */
export const oddTexts: Record<string, string> = {
  'astral characters and joined emoji': '𝒳 👩‍👩‍👧‍👦 é e\u0301 \u202eright to left',
  'quotes, backslashes and SQL': `'; DROP TABLE message; -- "quoted" \\ \` $where {"$gt":""} %_`,
  'NUL and control characters': 'a\0b\u0001\u001f\u007f\u2028\r\n\t',
  'a NUL at either end': '\0x\0',
  '4,000 characters': `${'長'.repeat(3_998)}🙂`,
  'what looks like JSON': '["1e5", 007]',
  'a number': '007.0',
  spaces: ' \u00a0x ',
  'a byte order mark': '\ufeffx',
}

export const messageTests = (world: StoreWorld): void => {
  const { send, stored } = world

  describe('append', () => {
    test('returns the message as it is stored', async () => {
      const sentAt = new Date(1_700_000_000_123)
      const { message, repeated } = await world.store.append(
        draft('ada', 'bob', 'hi', { sentAt, clientMessageId: 'c1' }),
      )
      expect(repeated).toBe(false)
      expect(message).toEqual({
        id: 'dm:ada:bob:1',
        conversationId: 'dm:ada:bob',
        seq: 1,
        version: expect.any(Number),
        sender: 'ada',
        text: 'hi',
        revision: 1,
        sentAt,
        editedAt: null,
        deletedAt: null,
        clientMessageId: 'c1',
      })
      expect(Number.isSafeInteger(message.version)).toBe(true)
      expect(await stored('dm:ada:bob')).toEqual([message])
    })

    test('creates the conversation from the first draft, with any number of members', async () => {
      const members = Array.from({ length: 1_000 }, (_, i) => `member${i}`)
      await send('member0', 'group:g1', 'hello all', { members })
      await send('member1', 'group:g1', 'hello', { members: ['member1', 'stranger'] })
      const group = await world.store.conversation('group:g1')
      expect(group).toMatchObject({ id: 'group:g1', kind: 'group', lastSeq: 2 })
      expect(group!.members.toSorted()).toEqual(members.toSorted())
      await send('ada', 'ada', 'a note to myself')
      const notes = { id: 'dm:ada:ada', kind: 'direct', members: ['ada'], lastSeq: 1 }
      expect(await world.store.conversation('dm:ada:ada')).toEqual(notes)
      expect(await world.store.conversation('dm:no:where')).toBeNull()
    })

    test('[P3] 500 appends at once get 1 to 500 without a hole, in one order that versions and times share', async () => {
      const messages = await Promise.all(
        Array.from({ length: 500 }, (_, i) =>
          send(i % 2 ? 'ada' : 'bob', i % 2 ? 'bob' : 'ada', `text ${i}`, { sentAt: new Date(5_000 - (i % 7)) }),
        ),
      )
      const all = await stored('dm:ada:bob')
      expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1))
      expect(all).toEqual(messages.toSorted((a, b) => a.seq - b.seq))
      expect(rises(all.map(({ version }) => version))).toBe(true)
      const times = all.map(({ sentAt }) => sentAt.getTime())
      expect(times).toEqual(times.toSorted((a, b) => a - b))
    })

    test('[P3] a message sent after another was acknowledged comes after it', async () => {
      const first = await send('ada', 'bob', 'one')
      const second = await send('bob', 'ada', 'two')
      expect([first.seq, second.seq]).toEqual([1, 2])
      expect(second.version).toBeGreaterThan(first.version)
    })

    test('never gives a message an earlier time than the one before it', async () => {
      const sent = async (to: string, ms: number) =>
        (await send('ada', to, 'hi', { sentAt: new Date(ms) })).sentAt.getTime()
      expect(await sent('bob', 2_000)).toBe(2_000)
      expect(await sent('bob', 1_000)).toBe(2_000)
      expect(await sent('bob', 3_000)).toBe(3_000)
      expect(await sent('cleo', 1_000)).toBe(1_000)
    })

    test('[P4] a repeat returns the first message; another text under its id is a conflict', async () => {
      const first = await send('ada', 'bob', 'one', { clientMessageId: 'c1', sentAt: new Date(1_000) })
      await send('ada', 'bob', 'two', { clientMessageId: 'c2' })
      const again = draft('ada', 'bob', 'one', { clientMessageId: 'c1', sentAt: new Date(9_000) })
      expect(await world.store.append(again)).toEqual({ message: first, repeated: true })
      await expect(send('ada', 'bob', 'other', { clientMessageId: 'c1' })).rejects.toMatchObject({ kind: 'conflict' })
      expect(await stored('dm:ada:bob')).toHaveLength(2)
    })

    test('[P4] the same id at once is one message, however often', async () => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => world.store.append(draft('ada', 'bob', 'one', { clientMessageId: 'c1' }))),
      )
      expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1)
      expect(new Set(answers.map(({ message }) => message.version)).size).toBe(1)
      expect(await stored('dm:ada:bob')).toEqual([answers[0]!.message])
    })

    test('[P4] an id belongs to its sender and conversation', async () => {
      const clientMessageId = 'c1'
      await send('ada', 'bob', 'to bob', { clientMessageId })
      await send('bob', 'ada', 'to ada', { clientMessageId })
      await send('ada', 'cleo', 'to cleo', { clientMessageId })
      expect((await stored('dm:ada:bob')).map(({ text }) => text)).toEqual(['to bob', 'to ada'])
      expect(await stored('dm:ada:cleo')).toHaveLength(1)
    })

    test('messages without an id are never the same', async () => {
      await Promise.all([send('ada', 'bob', 'hi'), send('ada', 'bob', 'hi')])
      expect(await stored('dm:ada:bob')).toHaveLength(2)
    })

    test('a conflict fails alone, beside appends that go through', async () => {
      await send('ada', 'bob', 'one', { clientMessageId: 'c1' })
      const results = await Promise.allSettled([
        send('ada', 'bob', 'two'),
        send('ada', 'bob', 'other', { clientMessageId: 'c1' }),
        send('ada', 'cleo', 'three'),
      ])
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect((await stored('dm:ada:bob')).map(({ text }) => text)).toEqual(['one', 'two'])
    })

    test('[P1] keeps every text exactly as it was sent', async () => {
      for (const [what, text] of Object.entries(oddTexts)) {
        const said = draft('ada', 'bob', text, { clientMessageId: `c${Object.keys(oddTexts).indexOf(what)}` })
        const { message } = await world.store.append(said)
        expect(message.text, what).toBe(text)
        expect((await stored('dm:ada:bob')).at(-1)!.text, what).toBe(text)
        expect((await world.store.append(said)).repeated, what).toBe(true)
      }
    })
  })

  describe('pages of messages', () => {
    beforeEach(async () => {
      await Promise.all(Array.from({ length: 25 }, (_, i) => send('ada', 'bob', `${i}`, { sentAt: new Date(1_000) })))
      await send('ada', 'bob', 'later', { sentAt: new Date(2_000) })
      await send('ada', 'bob', 'last', { sentAt: new Date(3_000) })
    })

    test('hold what lies between both ends, in order, from either end', async () => {
      const seqs = async (conversationId: string, from: number, to: number, limit: number, newest = false) =>
        (await world.store.messages({ conversationId, from, to, limit, newest })).map(({ seq }) => seq)
      expect(await seqs('dm:ada:bob', 5, 20, 3)).toEqual([5, 6, 7])
      expect(await seqs('dm:ada:bob', 5, 20, 3, true)).toEqual([18, 19, 20])
      expect(await seqs('dm:ada:bob', 26, 90, 10)).toEqual([26, 27])
      expect(await seqs('dm:ada:bob', 1, 2, 10, true)).toEqual([1, 2])
      expect(await seqs('dm:ada:bob', 28, 90, 10)).toEqual([])
      expect(await seqs('dm:ada:bob', 9, 8, 10)).toEqual([])
      expect(await seqs('dm:ada:nobody', 1, 10, 10)).toEqual([])
    })

    test('hold no hole where texts are more than is wanted, and all of those that are near', async () => {
      const length = 100
      const send9 = Array.from({ length: 9 }, () => send('ada', 'cleo', 'x'.repeat(length - 2)))
      await Promise.all(send9)
      const page = async (around: number, textBytes: number, newest = false) => {
        const range = { conversationId: 'dm:ada:cleo', from: 1, to: 9, limit: 9, newest }
        return (await world.store.messages({ ...range, wanted: { around, textBytes } })).map(({ seq }) => seq)
      }
      for (const around of [1, 4, 9])
        for (const wanted of [0, 1, 3, 20]) {
          const seqs = await page(around, wanted * length, around === 9)
          expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] as number) + i))
          const isNear = (seq: number) => Math.abs(seq - around) < Math.min(wanted, 9) / 2
          expect(seqs).toEqual(expect.arrayContaining([around, ...[1, 2, 3, 4, 5, 6, 7, 8, 9].filter(isNear)]))
        }
      expect((await world.store.conversations('ada', null, 9, 0)).at(0)).toMatchObject({ id: 'dm:ada:cleo' })
    })

    test('hold edited messages at their latest text, and deleted ones as tombstones', async () => {
      const [first, second] = await stored('dm:ada:bob')
      const edited = await world.edit(first!, 'edited')
      const deleted = await world.delete(second!)
      const page = await world.store.messages({ conversationId: 'dm:ada:bob', from: 1, to: 2, limit: 9, newest: true })
      expect(page).toEqual([edited, deleted])
    })

    test('messagesAt returns those that are there, at their latest state', async () => {
      const elsewhere = await send('ada', 'cleo', 'one')
      const messages = await stored('dm:ada:bob')
      const edited = await world.edit(messages[1]!, 'edited')
      const deleted = await world.delete(messages[2]!)
      const at = (conversationId: string, ...seqs: number[]) => seqs.map((seq) => ({ conversationId, seq }))
      const places = [...at('dm:ada:bob', 3, 2, 27, 28, 1_000_000), ...at('dm:ada:cleo', 1, 2), ...at('dm:no:where', 1)]
      const found = await world.store.messagesAt(places)
      expect(found.toSorted(byId)).toEqual([deleted, edited, messages[26]!, elsewhere].toSorted(byId))
      expect(await world.store.messagesAt(at('dm:ada:bob', 5, 5))).toEqual([messages[4]])
      expect(await world.store.messagesAt([])).toEqual([])
    })

    test('seqAt is the first message sent then or later', async () => {
      const times = [0, 1_000, 1_001, 2_000, 3_000, 3_001]
      const seqs = await Promise.all(times.map((ms) => world.store.seqAt('dm:ada:bob', new Date(ms))))
      expect(seqs).toEqual([1, 1, 26, 26, 27, 28])
      expect(await world.store.seqAt('dm:ada:nobody', new Date())).toBe(1)
    })
  })
}

const byId = (a: StoredMessage, b: StoredMessage) => (a.id < b.id ? -1 : 1)
