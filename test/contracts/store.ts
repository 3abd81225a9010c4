import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { directConversationId, type Version } from '../../server/contract/index.ts'
import type { Change, Draft, Store, StoredMessage } from '../../server/domain/ports.ts'

/** A store, empty at first; `close` also removes what it left behind. */
export interface OpenedStore {
  store: Store
  close(): Promise<void>
}

/**
 * What every store keeps, sentence by sentence of the port. Versions may be inexact: changes may come again and are told
 * apart by what changed and its version, and never stay out.
 */
export const storeContract = (name: string, open: () => Promise<OpenedStore>): void => {
  describe(`the ${name} store`, () => {
    let opened: OpenedStore
    let store: Store
    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })
    afterEach(() => opened.close())

    const send = async (sender: string, to: string, text: string, more: Partial<Draft> = {}): Promise<StoredMessage> =>
      (await store.append(draft(sender, to, text, more))).message
    const page = (conversationId: string, from: number, to: number, limit = 100, newest = false) =>
      store.messages({ conversationId, from, to, limit, newest })
    const all = (conversationId: string) => page(conversationId, 1, 1_000_000, 1_000_000)
    const read = (username: string, conversationId: string, seq: number) =>
      store.advance([{ conversationId, username, deliveredSeq: seq, readSeq: seq }])

    describe('append', () => {
      test('returns the message as it is stored', async () => {
        const sentAt = new Date(1_700_000_000_123)
        const { message, repeated } = await store.append(draft('ada', 'bob', 'hi', { sentAt, clientMessageId: 'c1' }))
        expect(repeated).toBe(false)
        expect(message).toEqual({
          id: 'dm:ada:bob:1',
          conversationId: 'dm:ada:bob',
          seq: 1,
          version: expect.any(Number),
          sender: 'ada',
          text: 'hi',
          sentAt,
          clientMessageId: 'c1',
        })
        expect(Number.isSafeInteger(message.version)).toBe(true)
        expect(await all('dm:ada:bob')).toEqual([message])
      })

      test('creates the conversation from the first draft, with any number of members', async () => {
        const members = Array.from({ length: 1_000 }, (_, i) => `member${i}`)
        await store.append(draft('member0', '', 'hello all', { conversationId: 'group:g1', kind: 'group', members }))
        const group = await store.conversation('group:g1')
        expect(group).toMatchObject({ id: 'group:g1', kind: 'group', lastSeq: 1 })
        expect(group!.members.toSorted()).toEqual(members.toSorted())
        await send('ada', 'ada', 'a note to myself')
        expect(await store.conversation('dm:ada:ada')).toEqual({
          id: 'dm:ada:ada',
          kind: 'direct',
          members: ['ada'],
          lastSeq: 1,
        })
        expect(await store.conversation('dm:no:where')).toBeNull()
      })

      test('says whether all of some messages are there', async () => {
        await send('ada', 'bob', 'one')
        await send('ada', 'cleo', 'one')
        await send('ada', 'cleo', 'two')
        const at = (conversationId: string, seq: number) => ({ conversationId, seq })
        const has = (...places: ReturnType<typeof at>[]) => store.hasMessages(places)
        expect(await has(at('dm:ada:bob', 1), at('dm:ada:cleo', 2), at('dm:ada:cleo', 2))).toBe(true)
        expect(await has(at('dm:ada:bob', 1), at('dm:ada:cleo', 3))).toBe(false)
        expect(await has(at('dm:ada:bob', 2), at('dm:ada:cleo', 2))).toBe(false)
        expect(await has(at('dm:no:where', 1))).toBe(false)
      })

      test('[P3] 500 appends at once get 1 to 500 without a hole, in one order that versions and times share', async () => {
        const messages = await Promise.all(
          Array.from({ length: 500 }, (_, i) =>
            send(i % 2 ? 'ada' : 'bob', i % 2 ? 'bob' : 'ada', `text ${i}`, { sentAt: new Date(5_000 - (i % 7)) }),
          ),
        )
        const stored = await page('dm:ada:bob', 1, 1_000, 1_000)
        expect(stored.map(({ seq }) => seq)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1))
        expect(stored).toEqual(messages.toSorted((a, b) => a.seq - b.seq))
        expect(rises(stored.map(({ version }) => version))).toBe(true)
        const times = stored.map(({ sentAt }) => sentAt.getTime())
        expect(times).toEqual(times.toSorted((a, b) => a - b))
      })

      test('[P3] a message sent after another was acknowledged comes after it', async () => {
        const first = await send('ada', 'bob', 'one')
        const second = await send('bob', 'ada', 'two')
        expect([first.seq, second.seq]).toEqual([1, 2])
        expect(second.version).toBeGreaterThan(first.version)
      })

      test('never gives a message an earlier time than the one before it', async () => {
        await send('ada', 'bob', 'one', { sentAt: new Date(2_000) })
        expect((await send('ada', 'bob', 'two', { sentAt: new Date(1_000) })).sentAt).toEqual(new Date(2_000))
        expect((await send('ada', 'bob', 'three', { sentAt: new Date(3_000) })).sentAt).toEqual(new Date(3_000))
        expect((await send('ada', 'cleo', 'elsewhere', { sentAt: new Date(1_000) })).sentAt).toEqual(new Date(1_000))
      })

      test('[P4] a repeat returns the first message; another text under its id is a conflict', async () => {
        const first = await send('ada', 'bob', 'one', { clientMessageId: 'c1', sentAt: new Date(1_000) })
        await send('ada', 'bob', 'two', { clientMessageId: 'c2' })
        const again = await store.append(draft('ada', 'bob', 'one', { clientMessageId: 'c1', sentAt: new Date(9_000) }))
        expect(again).toEqual({ message: first, repeated: true })
        await expect(send('ada', 'bob', 'other', { clientMessageId: 'c1' })).rejects.toMatchObject({ kind: 'conflict' })
        expect(await all('dm:ada:bob')).toHaveLength(2)
      })

      test('[P4] the same id at once is one message, however often', async () => {
        const answers = await Promise.all(
          Array.from({ length: 50 }, () => store.append(draft('ada', 'bob', 'one', { clientMessageId: 'c1' }))),
        )
        expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1)
        expect(new Set(answers.map(({ message }) => message.version)).size).toBe(1)
        expect(await all('dm:ada:bob')).toEqual([answers[0]!.message])
      })

      test('[P4] an id belongs to its sender and conversation', async () => {
        const clientMessageId = 'c1'
        await send('ada', 'bob', 'to bob', { clientMessageId })
        await send('bob', 'ada', 'to ada', { clientMessageId })
        await send('ada', 'cleo', 'to cleo', { clientMessageId })
        expect((await all('dm:ada:bob')).map(({ text }) => text)).toEqual(['to bob', 'to ada'])
        expect(await all('dm:ada:cleo')).toHaveLength(1)
      })

      test('messages without an id are never the same', async () => {
        await Promise.all([send('ada', 'bob', 'hi'), send('ada', 'bob', 'hi')])
        expect(await all('dm:ada:bob')).toHaveLength(2)
      })

      test('a conflict fails alone, beside appends that go through', async () => {
        await send('ada', 'bob', 'one', { clientMessageId: 'c1' })
        const results = await Promise.allSettled([
          send('ada', 'bob', 'two'),
          send('ada', 'bob', 'other', { clientMessageId: 'c1' }),
          send('ada', 'cleo', 'three'),
        ])
        expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
        expect((await all('dm:ada:bob')).map(({ text }) => text)).toEqual(['one', 'two'])
      })

      test.each([
        ['astral characters and joined emoji', '𝒳 👩‍👩‍👧‍👦 é e\u0301 \u202eright to left'],
        ['quotes, backslashes and SQL', `'; DROP TABLE message; -- "quoted" \\ \` $where {"$gt":""} %_`],
        ['NUL and control characters', 'a\0b\u0001\u001f\u007f\u2028\r\n\t'],
        ['4,000 characters', `${'長'.repeat(3_998)}🙂`],
        ['what looks like JSON or a number', '["1e5", 007]'],
        ['a number', '007.0'],
        ['spaces', ' \u00a0x '],
      ])('[P1] keeps %s as sent', async (_, text) => {
        const message = await send('ada', 'bob', text, { clientMessageId: 'c1' })
        expect(message.text).toBe(text)
        expect((await all('dm:ada:bob'))[0]!.text).toBe(text)
        expect((await store.append(draft('ada', 'bob', text, { clientMessageId: 'c1' }))).repeated).toBe(true)
      })
    })

    describe('pages', () => {
      beforeEach(async () => {
        await Promise.all(Array.from({ length: 25 }, (_, i) => send('ada', 'bob', `${i}`, { sentAt: new Date(1_000) })))
        await send('ada', 'bob', 'later', { sentAt: new Date(2_000) })
        await send('ada', 'bob', 'last', { sentAt: new Date(3_000) })
      })

      test('hold what lies between both ends, in order, from either end', async () => {
        const seqs = async (...range: Parameters<typeof page>) => (await page(...range)).map(({ seq }) => seq)
        expect(await seqs('dm:ada:bob', 5, 20, 3)).toEqual([5, 6, 7])
        expect(await seqs('dm:ada:bob', 5, 20, 3, true)).toEqual([18, 19, 20])
        expect(await seqs('dm:ada:bob', 26, 90, 10)).toEqual([26, 27])
        expect(await seqs('dm:ada:bob', 1, 2, 10, true)).toEqual([1, 2])
        expect(await seqs('dm:ada:bob', 28, 90, 10)).toEqual([])
        expect(await seqs('dm:ada:bob', 9, 8, 10)).toEqual([])
        expect(await seqs('dm:ada:nobody', 1, 10, 10)).toEqual([])
      })

      test('seqAt is the first message sent then or later', async () => {
        const at = (ms: number) => store.seqAt('dm:ada:bob', new Date(ms))
        expect([
          await at(0),
          await at(1_000),
          await at(1_001),
          await at(2_000),
          await at(3_000),
          await at(3_001),
        ]).toEqual([1, 1, 26, 26, 27, 28])
        expect(await store.seqAt('dm:ada:nobody', new Date())).toBe(1)
      })
    })

    describe('receipts', () => {
      beforeEach(async () => {
        for (const text of ['one', 'two', 'three']) await send('ada', 'bob', text)
      })

      test('start at nothing, one for each member', async () => {
        await send('ada', 'cleo', 'hi')
        const receipts = await store.receipts(['dm:ada:bob', 'dm:ada:cleo', 'dm:ada:nobody'])
        expect(receipts.map(({ conversationId, username }) => `${conversationId} ${username}`).toSorted()).toEqual([
          'dm:ada:bob ada',
          'dm:ada:bob bob',
          'dm:ada:cleo ada',
          'dm:ada:cleo cleo',
        ])
        expect(receipts.every(({ deliveredSeq, readSeq }) => deliveredSeq === 0 && readSeq === 0)).toBe(true)
      })

      const advanced = async (username: string, deliveredSeq: number, readSeq: number) =>
        (await store.advance([{ conversationId: 'dm:ada:bob', username, deliveredSeq, readSeq }])).map((receipt) => [
          receipt.username,
          receipt.deliveredSeq,
          receipt.readSeq,
        ])

      test('[P6] move forward only, and those that stand still are not returned', async () => {
        expect(await advanced('bob', 2, 1)).toEqual([['bob', 2, 1]])
        expect(await advanced('bob', 2, 1)).toEqual([])
        expect(await advanced('bob', 1, 0)).toEqual([])
        expect(await advanced('bob', 3, 0)).toEqual([['bob', 3, 1]])
        expect(await advanced('ada', 1, 1)).toEqual([['ada', 1, 1]])
      })

      test('[P6] read carries delivered along, and neither passes the last message', async () => {
        expect(await advanced('bob', 0, 2)).toEqual([['bob', 2, 2]])
        expect(await advanced('bob', 99, 99)).toEqual([['bob', 3, 3]])
        await send('ada', 'bob', 'four')
        expect(await store.receipts(['dm:ada:bob'])).toContainEqual(
          expect.objectContaining({ username: 'bob', deliveredSeq: 3, readSeq: 3 }),
        )
      })

      test('[P9] strangers and unknown conversations are passed over', async () => {
        expect(await advanced('eve', 3, 3)).toEqual([])
        expect(await read('eve', 'dm:no:where', 1)).toEqual([])
        expect((await store.receipts(['dm:ada:bob'])).some(({ username }) => username === 'eve')).toBe(false)
      })

      test('many move in one call, the same one at its furthest', async () => {
        await send('cleo', 'bob', 'hi')
        const moved = await store.advance([
          { conversationId: 'dm:ada:bob', username: 'bob', deliveredSeq: 1, readSeq: 0 },
          { conversationId: 'dm:bob:cleo', username: 'bob', deliveredSeq: 1, readSeq: 0 },
          { conversationId: 'dm:ada:bob', username: 'bob', deliveredSeq: 3, readSeq: 0 },
        ])
        expect(moved.map(({ conversationId, deliveredSeq }) => [conversationId, deliveredSeq]).toSorted()).toEqual([
          ['dm:ada:bob', 3],
          ['dm:bob:cleo', 1],
        ])
        const stored = await store.receipts(['dm:ada:bob', 'dm:bob:cleo'])
        for (const receipt of moved) expect(stored).toContainEqual(receipt)
      })
    })

    describe('changes', () => {
      /** Page after page, as a reader that resumes; what comes again is dropped. */
      const follow = async (username: string, after: Version, limit: number, except: string[] = []) => {
        const upTo = await store.version()
        after -= store.overlap
        const found = new Map<string, Change>()
        for (;;) {
          const changes = await store.changes(username, { after, upTo, except }, limit)
          expect(changes.length).toBeLessThanOrEqual(limit)
          expect(rises(changes.map(({ version }) => version))).toBe(true)
          for (const change of changes) found.set(key(change), change)
          if (changes.length < limit) return [...found.values()]
          after = changes.at(-1)!.version
        }
      }
      const key = (change: Change) =>
        `${change.version} ${change.type === 'message' ? change.message.id : `${change.receipt.conversationId} ${change.receipt.username}`}`

      test.each([1, 2, 7, 1_000])('[P5] are complete and in order, %i at a time', async (limit) => {
        const before = await store.version()
        const messages = await Promise.all(
          Array.from({ length: 30 }, (_, i) => send(`user${i % 4}`, 'bob', `text ${i}`)),
        )
        const receipts = [...(await read('bob', 'dm:bob:user1', 3)), ...(await read('user2', 'dm:bob:user2', 2))]
        const changes = await follow('bob', before, limit)
        const expected: Change[] = [
          ...messages.map((message): Change => ({ type: 'message', version: message.version, message })),
          ...receipts.map((receipt): Change => ({ type: 'receipt', version: receipt.version, receipt })),
        ]
        expect(changes).toEqual(expected.toSorted((a, b) => a.version - b.version))
      })

      test('[P5] from every version on, what came after it is there', async () => {
        const messages: StoredMessage[] = []
        for (let i = 0; i < 12; i++) messages.push(await send('ada', i % 3 ? 'bob' : 'cleo', `text ${i}`))
        for (const [i, { version }] of messages.entries()) {
          const texts = (await follow('ada', version, 3)).map(
            (change) => change.type === 'message' && change.message.text,
          )
          expect(texts.slice(-(messages.length - i - 1) || texts.length)).toEqual(
            messages.slice(i + 1).map(({ text }) => text),
          )
        }
      })

      test('end at `upTo`, and leave out the conversations in `except`', async () => {
        await send('ada', 'bob', 'one')
        const upTo = await store.version()
        await send('ada', 'bob', 'two')
        const texts = (changes: Change[]) => changes.map((change) => change.type === 'message' && change.message.text)
        expect(texts(await store.changes('bob', { after: 0, upTo, except: [] }, 10))).toEqual(['one'])
        await send('cleo', 'bob', 'three')
        await read('bob', 'dm:ada:bob', 1)
        expect(texts(await follow('bob', 0, 10, ['dm:ada:bob']))).toEqual(['three'])
        expect(await follow('bob', 0, 10, ['dm:ada:bob', 'dm:bob:cleo'])).toEqual([])
      })

      test('carry the latest state of a receipt, once', async () => {
        for (const text of ['one', 'two', 'three']) await send('ada', 'bob', text)
        const after = await store.version()
        for (const seq of [1, 2, 3]) await read('bob', 'dm:ada:bob', seq)
        const receipts = (await follow('ada', after, 10)).filter(({ type }) => type === 'receipt')
        expect(receipts).toMatchObject([{ receipt: { username: 'bob', deliveredSeq: 3, readSeq: 3 } }])
      })

      test('[P9] are of her own conversations only', async () => {
        await send('ada', 'bob', 'secret')
        await read('bob', 'dm:ada:bob', 1)
        await send('eve', 'cleo', 'hi')
        const changes = await follow('eve', 0, 10)
        expect(changes).toMatchObject([{ message: { conversationId: 'dm:cleo:eve' } }])
        const range = { after: 0, upTo: await store.version() }
        expect(await store.undelivered('mallory', range, 10)).toEqual([])
        expect(await store.changes('mallory', { ...range, except: [] }, 10)).toEqual([])
        expect(await store.backlog('mallory', 0, 0)).toEqual([])
        expect(await store.conversations('mallory', null, 10)).toEqual([])
      })

      test('undelivered are the messages above her deliveredSeq', async () => {
        const messages: StoredMessage[] = []
        for (let i = 0; i < 6; i++) messages.push(await send('ada', i % 2 ? 'bob' : 'cleo', `text ${i}`))
        const upTo = await store.version()
        await send('ada', 'bob', 'too late')
        const undelivered = (username: string, limit: number, after = 0) =>
          store.undelivered(username, { after, upTo }, limit)
        expect(await undelivered('ada', 10)).toEqual(messages)
        expect(await undelivered('ada', 4)).toEqual(messages.slice(0, 4))
        expect(await undelivered('ada', 4, messages[3]!.version)).toEqual(messages.slice(4))
        await store.advance([{ conversationId: 'dm:ada:bob', username: 'ada', deliveredSeq: 2, readSeq: 0 }])
        expect(await undelivered('ada', 10)).toEqual([messages[0], messages[2], messages[4], messages[5]])
        expect(await undelivered('bob', 10)).toEqual([messages[1], messages[3], messages[5]])
      })

      test('backlog names the conversations with more than so many messages after a version, and where those begin', async () => {
        await send('ada', 'bob', 'before')
        await send('bob', 'ada', 'and before')
        const after = await store.version()
        for (const [to, count] of [
          ['bob', 3],
          ['cleo', 2],
          ['dora', 1],
        ] as const)
          for (let i = 0; i < count; i++) await send('ada', to, `${i}`)
        expect(await store.backlog('ada', after, 1)).toHaveLength(2)
        const [backlog, ...others] = await store.backlog('ada', after, 2)
        expect(others).toEqual([])
        // An inexact store may begin earlier, never later.
        expect(backlog).toEqual({ conversationId: 'dm:ada:bob', afterSeq: expect.any(Number) })
        expect(backlog!.afterSeq).toBeGreaterThanOrEqual(0)
        expect(backlog!.afterSeq).toBeLessThanOrEqual(2)
        expect(await store.backlog('ada', 0, 4)).toEqual([{ conversationId: 'dm:ada:bob', afterSeq: 0 }])
        expect(await store.backlog('ada', after, 3)).toEqual([])
        expect(await store.backlog('ada', await store.version(), 0)).toEqual([])
      })

      test('latestVersions follow every change of each user', async () => {
        const latest = async (...usernames: string[]) => {
          const versions = await store.latestVersions(usernames, 0)
          return usernames.map((username) => versions.get(username))
        }
        expect(await latest('ada', 'bob', 'cleo')).toEqual([undefined, undefined, undefined])
        const first = await send('ada', 'bob', 'one')
        const second = await send('ada', 'cleo', 'two')
        expect(await latest('ada', 'bob', 'cleo')).toEqual([second.version, first.version, second.version])
        const [receipt] = await read('bob', 'dm:ada:bob', 1)
        expect(await latest('ada', 'bob', 'cleo')).toEqual([receipt!.version, receipt!.version, second.version])
        const since = new Map([
          ['ada', receipt!.version],
          ['bob', receipt!.version],
        ])
        expect(await store.latestVersions(['ada', 'bob', 'cleo'], second.version)).toEqual(since)
        expect(await store.latestVersions([], 0)).toEqual(new Map())
      })

      test('no change that comes after version() has a version at or below it', async () => {
        for (let i = 0; i < 20; i++) {
          const version = await store.version()
          expect((await send('ada', `user${i}`, 'hi')).version).toBeGreaterThan(version)
        }
      })
    })

    describe('conversations', () => {
      test('come by their newest message, with it, what is unread, and receipts', async () => {
        await send('ada', 'bob', 'one')
        await send('ada', 'cleo', 'two')
        const last = await send('bob', 'ada', 'three')
        await read('ada', 'dm:ada:cleo', 1)
        const [first, second, ...rest] = await store.conversations('ada', null, 10)
        expect(rest).toEqual([])
        expect(first).toMatchObject({ id: 'dm:ada:bob', kind: 'direct', lastMessage: last, unread: 1 })
        expect(second).toMatchObject({ id: 'dm:ada:cleo', unread: 0, lastMessage: { text: 'two' } })
        expect(second!.receipts.toSorted((a, b) => (a.username < b.username ? -1 : 1))).toMatchObject([
          { conversationId: 'dm:ada:cleo', username: 'ada', deliveredSeq: 1, readSeq: 1 },
          { conversationId: 'dm:ada:cleo', username: 'cleo', deliveredSeq: 0, readSeq: 0 },
        ])
      })

      test('unread are the messages of others above readSeq, counted to 1,000', async () => {
        await Promise.all(Array.from({ length: 1_100 }, (_, i) => send('ada', 'bob', `${i}`)))
        const unread = async (username: string) => (await store.conversations(username, null, 1))[0]!.unread
        expect([await unread('ada'), await unread('bob')]).toEqual([0, 1_000])
        await read('bob', 'dm:ada:bob', 1_000)
        expect(await unread('bob')).toBe(100)
      })

      test('every conversation is met once, though messages come while the pages are read', async () => {
        for (let i = 0; i < 11; i++) await send('ada', `user${10 + i}`, `text ${i}`)
        const met: string[] = []
        let before: Version | null = null
        for (let turn = 0; ; turn++) {
          const page = await store.conversations('ada', before, 3)
          met.push(...page.map(({ id }) => id))
          if (page.length < 3) break
          before = page.at(-1)!.lastMessage.version
          // One that was met moves up again; nothing that was not met moves.
          await send('ada', met[turn]!.split(':')[2]!, 'again')
        }
        expect(met).toEqual(Array.from({ length: 11 }, (_, i) => `dm:ada:user${20 - i}`))
      })
    })

    describe('accounts', () => {
      const ada = { username: 'ada', displayName: 'Ada 🦋', passwordHash: '$argon2id$…', createdAt: new Date(1_000) }
      const session = (tokenHash: string, expiresAt: number) => ({
        tokenHash,
        username: 'ada',
        createdAt: new Date(1_000),
        expiresAt: new Date(expiresAt),
      })

      test('a user is created once, also when asked at once', async () => {
        const results = await Promise.allSettled([
          store.createUser(ada),
          store.createUser({ ...ada, displayName: 'Eve' }),
        ])
        const refused = results.filter((result) => result.status === 'rejected')
        expect(refused).toMatchObject([{ reason: { kind: 'usernameTaken' } }])
        const stored = await store.user('ada')
        expect(results[0]!.status === 'fulfilled' ? ada : { ...ada, displayName: 'Eve' }).toEqual(stored)
        expect(await store.user('nobody')).toBeNull()
      })

      test('a session is kept, extended and deleted', async () => {
        await store.createUser(ada)
        await store.createSession(session('hash', 2_000))
        expect(await store.session('hash')).toEqual(session('hash', 2_000))
        await store.extendSession('hash', new Date(3_000))
        expect(await store.session('hash')).toEqual(session('hash', 3_000))
        expect(await store.deleteSession('hash')).toBe(true)
        expect(await store.deleteSession('hash')).toBe(false)
        expect(await store.session('hash')).toBeNull()
        await store.extendSession('hash', new Date(4_000))
        expect(await store.session('hash')).toBeNull()
      })

      test('a session needs its user', async () => {
        await expect(store.createSession(session('hash', 2_000))).rejects.toMatchObject({ kind: 'unknownUser' })
        expect(await store.session('hash')).toBeNull()
      })

      test('expired sessions go, the others stay', async () => {
        await store.createUser(ada)
        for (const [hash, expiresAt] of [
          ['a', 1_000],
          ['b', 2_000],
          ['c', 3_000],
        ] as const)
          await store.createSession(session(hash, expiresAt))
        expect(await store.deleteExpiredSessions(new Date(2_001))).toBe(2)
        expect([await store.session('a'), await store.session('b')]).toEqual([null, null])
        expect(await store.session('c')).not.toBeNull()
      })

      test('lastSeen knows those who were ever connected', async () => {
        await store.createUser(ada)
        await store.createUser({ ...ada, username: 'bob' })
        await store.setLastSeen([
          { username: 'ada', at: new Date(5_000) },
          { username: 'nobody', at: new Date(5_000) },
        ])
        expect(await store.lastSeen(['ada', 'bob', 'nobody'])).toEqual(new Map([['ada', new Date(5_000)]]))
      })
    })

    test('every read sees what was acknowledged before it', async () => {
      for (let i = 1; i <= 50; i++) {
        const message = await send('ada', 'bob', `${i}`)
        expect((await store.conversation('dm:ada:bob'))!.lastSeq).toBe(i)
        expect(await page('dm:ada:bob', i, i)).toEqual([message])
        const [receipt] = await read('bob', 'dm:ada:bob', i)
        expect(await store.receipts(['dm:ada:bob'])).toContainEqual(receipt)
        expect(await store.version()).toBeGreaterThanOrEqual(receipt!.version)
      }
    })

    test('ping answers while the store serves; a closed store is unavailable and keeps what it took', async () => {
      await store.ping()
      const taken = Promise.all(Array.from({ length: 100 }, (_, i) => send('ada', 'bob', `${i}`)))
      const closed = store.close()
      expect(await taken).toHaveLength(100)
      await closed
      await store.close()
      const unavailable = { kind: 'unavailable', retryable: true }
      await expect(store.ping()).rejects.toMatchObject(unavailable)
      await expect(send('ada', 'bob', 'late')).rejects.toMatchObject(unavailable)
      await expect(all('dm:ada:bob')).rejects.toMatchObject(unavailable)
    })
  })
}

export const draft = (sender: string, to: string, text: string, more: Partial<Draft> = {}): Draft => ({
  conversationId: directConversationId(sender, to),
  kind: 'direct',
  members: [...new Set([sender, to])],
  sender,
  text,
  clientMessageId: null,
  sentAt: new Date(),
  ...more,
})

const rises = (numbers: number[]) => numbers.every((number, i) => i === 0 || number > numbers[i - 1]!)
