import { describe, expect, test } from 'vitest'
import type { UserId } from '../../server/contract/index.ts'
import type { Change } from '../../server/domain/ports.ts'
import { expectNothingOmitted, pageSizes, readChanges } from './store-reader.ts'
import { knownBy, statesIn } from './store-subjects.ts'
import type { StoreWorld } from './store-world.ts'

/** `null` follows everything, whomever it concerns. */
const readers = (...userIds: UserId[]): (UserId | null)[] => [...userIds, null]

/** `kind text` or `kind name` of each change. */
const told = (changes: Change[]): string[] =>
  changes.map((change) => {
    if (change.kind === 'receipt') return `receipt ${change.receipt.userId} ${change.receipt.readSeq}`
    return change.kind === 'user' ? `user ${change.user.displayName}` : `${change.kind} ${change.message.text}`
  })

export const changeTests = (world: StoreWorld): void => {
  const { send, edit, read } = world

  /** Reads after a version in pages of every size: what comes has to be what the store acknowledged, and nothing else. */
  const expectChanges = async (reader: UserId | null, after: number, sizes = pageSizes) => {
    const expected = world.changes(reader, after)
    for (const limit of sizes) expect(await readChanges(world.store, reader, { after, limit })).toEqual(expected)
    await expectNothingOmitted(world.store, reader, after, expected)
  }

  describe('changes', () => {
    test('[P5] of every kind, made in place among new messages, come once and at their latest state to a reader at any earlier version', async () => {
      for (const userId of ['ada', 'bob', 'cleo', 'eve']) await world.createUser(userId)
      const positions = [await world.present()]
      const write = async <T>(written: Promise<T>): Promise<T> => {
        const answer = await written
        positions.push(await world.present())
        return answer
      }
      const first = await write(send('ada', 'bob', 'first'))
      const second = await write(send('bob', 'ada', 'second'))
      const toCleo = await write(send('bob', 'cleo', 'to cleo'))
      const toAll = await write(send('cleo', 'group:g1', 'to all', { members: ['cleo', 'ada', 'bob'] }))
      await write(send('eve', 'mallory', 'elsewhere'))
      await write(read('bob', 'dm:ada:bob', 1))
      const edited = await write(edit(first, 'first, edited'))
      const third = await write(send('ada', 'bob', 'third'))
      await write(world.delete(second))
      await write(read('ada', 'dm:ada:bob', 2))
      await write(world.rename('ada', 'Ada L.'))
      await write(send('cleo', 'group:g1', 'more to all'))
      await write(edit(toAll, 'to all, edited'))
      await write(read('ada', 'group:g1', 1))
      await write(edit(third, 'third, edited'))
      await write(world.rename('cleo', 'Cleo'))
      await write(world.advance('cleo', 'dm:bob:cleo', 1))
      await write(edit(edited, 'first, edited again'))
      await write(world.rename('ada', 'Ada Lovelace'))
      await write(read('bob', 'dm:ada:bob', 3))
      await write(world.delete(toAll))
      await write(edit(toCleo, 'to cleo, edited'))
      await write(send('bob', 'cleo', 'last'))
      await write(world.rename('eve', 'Eve'))
      await write(world.delete(third))
      // Also at the versions themselves, where one is in and the next is out.
      const exact = [...world.acknowledged.values()].map(({ state }) => state.version)
      const versions = [...positions, ...exact.filter((version) => version > positions[0]!)]
      for (const [i, after] of versions.entries())
        for (const reader of readers('ada', 'bob', 'cleo', 'eve'))
          await expectChanges(reader, after, [pageSizes[i % pageSizes.length]!])
    })

    test('[P5] a message sent after the reader was here comes once, as new, at its place, whatever became of it', async () => {
      const after = await world.present()
      const first = await send('ada', 'bob', 'one')
      const second = await send('bob', 'ada', 'two')
      await send('ada', 'bob', 'three')
      await world.delete(second)
      await edit(await edit(first, 'one, edited'), 'one, edited again')
      for (const reader of readers('ada', 'bob')) {
        expect(told(await readChanges(world.store, reader, { after }))).toEqual([
          'message one, edited again',
          'message ',
          'message three',
        ])
        await expectChanges(reader, after)
      }
    })

    test('[P5] a message from before that is edited three times and then deleted comes once, as changed', async () => {
      let message = await send('ada', 'bob', 'one')
      await send('ada', 'bob', 'beside it')
      const after = await world.present()
      for (const text of ['two', 'three', 'four']) {
        message = await edit(message, text)
        await send('bob', 'ada', `more, after ${text}`)
      }
      const more = ['message more, after two', 'message more, after three']
      for (const reader of readers('ada', 'bob')) {
        expect(told(await readChanges(world.store, reader, { after, limit: 2 }))).toEqual([
          ...more,
          'messageChanged four',
          'message more, after four',
        ])
        await expectChanges(reader, after)
      }
      await world.delete(message)
      const changes = await readChanges(world.store, 'bob', { after })
      expect(told(changes)).toEqual([...more, 'message more, after four', 'messageChanged '])
    })

    test('[P5] a change in a long conversation is found however far back the message lies', async () => {
      const messages = await Promise.all(Array.from({ length: 300 }, (_, i) => send('ada', 'bob', `text ${i}`)))
      const [oldest] = messages.toSorted((a, b) => a.seq - b.seq)
      const after = await world.present()
      const edited = await edit(oldest!, 'edited')
      for (const reader of readers('ada', 'bob'))
        expect((await readChanges(world.store, reader, { after })).map((change) => knownBy(change).state)).toEqual([
          edited,
        ])
    })

    test('[P5] are complete and in order, however many come on a page', async () => {
      const before = await world.present()
      await Promise.all(Array.from({ length: 30 }, (_, i) => send(`user${i % 4}`, 'bob', `text ${i}`)))
      await Promise.all([read('bob', 'dm:bob:user1', 3), read('user2', 'dm:bob:user2', 2)])
      const [first, second] = await world.stored('dm:bob:user3')
      await Promise.all([edit(first!, 'edited'), world.delete(second!)])
      for (const reader of readers('bob')) await expectChanges(reader, before)
    })

    test('may be left on any page', async () => {
      for (const text of ['one', 'two', 'three']) await send('ada', 'bob', text)
      for (let round = 0; round < 20; round++) {
        for await (const page of world.store.changes('bob', { after: 0, upTo: await world.present(), except: [] }, 1)) {
          expect(page).toMatchObject([{ message: { text: 'one' } }])
          break
        }
        for await (const page of world.store.allChanges({ after: 0, upTo: await world.present() }, 2)) {
          expect(page).toHaveLength(2)
          break
        }
      }
      expect(told(await readChanges(world.store, 'bob', { after: 0 }))).toHaveLength(3)
    })

    test('[P5] of every kind at once are all there', async () => {
      for (const userId of ['ada', 'bob', 'cleo']) await world.createUser(userId)
      for (const to of ['bob', 'cleo']) for (const text of ['one', 'two', 'three']) await send('ada', to, text)
      for (let round = 0; round < 5; round++) {
        const before = await world.present()
        const [first, second] = world.messages('dm:ada:bob').filter(({ state }) => state.deletedAt === null)
        await Promise.all([
          send('bob', 'ada', `round ${round}`),
          world.rename('ada', `Ada ${round}`),
          world.advance('bob', 'dm:ada:bob', round + 1),
          edit(second!.state, `edited ${round}`),
          world.delete(first!.state),
          world.rename('bob', `Bob ${round}`),
          send('cleo', 'ada', `round ${round}`),
          send('dora', 'ada', `round ${round}`),
        ])
        for (const reader of readers('ada', 'bob', 'cleo')) await expectChanges(reader, before, [2])
      }
    })

    test('[P5] from every version on, what came after it is there', async () => {
      const versions: number[] = []
      for (let i = 0; i < 12; i++) versions.push((await send('ada', i % 3 ? 'bob' : 'cleo', `text ${i}`)).version)
      for (const version of versions)
        for (const reader of readers('ada', 'bob')) await expectChanges(reader, version, [3])
    })

    test('end at `upTo`', async () => {
      const first = await send('ada', 'bob', 'one')
      const upTo = await world.present()
      await send('ada', 'bob', 'two')
      await edit(first, 'edited')
      for (const reader of readers('ada', 'bob'))
        expect(told(await readChanges(world.store, reader, { after: 0, upTo }))).toEqual(['message edited'])
    })

    test('of the conversations in `except` are those made in place, and no new messages', async () => {
      for (const userId of ['ada', 'bob']) await world.createUser(userId)
      const first = await send('ada', 'bob', 'one')
      const second = await send('ada', 'bob', 'two')
      const after = await world.present()
      const third = await send('ada', 'bob', 'three')
      await send('cleo', 'bob', 'four')
      await read('bob', 'dm:ada:bob', 1)
      await edit(first, 'one, edited')
      await world.delete(second)
      await edit(third, 'three, edited')
      await world.rename('ada', 'Ada A.')
      const inPlace = ['receipt bob 1', 'messageChanged one, edited', 'messageChanged ', 'user Ada A.']
      for (const limit of pageSizes) {
        const but = async (...except: string[]) => told(await readChanges(world.store, 'bob', { after, except, limit }))
        expect(await but('dm:ada:bob')).toEqual(['message four', ...inPlace])
        expect(await but('dm:ada:bob', 'dm:bob:cleo')).toEqual(inPlace)
        expect(await but('dm:bob:cleo', 'dm:bob:nobody')).toEqual(['message three, edited', ...inPlace])
      }
    })

    test('[P5] what changes above `upTo` is there for whoever reads on behind it', async () => {
      for (const text of ['one', 'two', 'three']) await send('ada', 'bob', text)
      const after = [await world.present()]
      for (const text of ['edited', 'edited again']) {
        for (const seq of [1, 2, 3]) await edit(world.messages('dm:ada:bob')[seq - 1]!.state, `${seq} ${text}`)
        after.push(await world.present())
        await send('bob', 'ada', `after ${text}`)
      }
      after.push(await world.present())
      for (const reader of readers('ada', 'bob')) {
        const found = new Map<string, unknown>()
        for (const [i, upTo] of after.slice(1).entries()) {
          const changes = await readChanges(world.store, reader, { after: after[i]!, upTo, limit: 2 })
          for (const [subject, state] of statesIn(changes)) found.set(subject, state)
        }
        const stored = await world.stored('dm:ada:bob')
        expect(found).toEqual(new Map(stored.map((message) => [`message ${message.id}`, message])))
      }
    })

    test('carry the latest state of a receipt, once', async () => {
      for (const text of ['one', 'two', 'three']) await send('ada', 'bob', text)
      const after = await world.present()
      for (const seq of [1, 2, 3]) await read('bob', 'dm:ada:bob', seq)
      for (const reader of readers('ada', 'bob'))
        expect(told(await readChanges(world.store, reader, { after }))).toEqual(['receipt bob 3'])
    })

    test('[P9] are of a user’s own conversations only', async () => {
      for (const userId of ['ada', 'bob', 'cleo', 'eve']) await world.createUser(userId)
      await send('eve', 'cleo', 'hi')
      const first = await send('ada', 'bob', 'secret')
      await read('bob', 'dm:ada:bob', 1)
      await edit(first, 'more secret')
      await send('ada', 'group:g1', 'secret, too', { members: ['ada', 'bob'] })
      await world.rename('ada', 'Ada')
      const eve = (await readChanges(world.store, 'eve', { after: 0 })).filter(({ kind }) => kind !== 'user')
      expect(eve).toMatchObject([{ message: { conversationId: 'dm:cleo:eve' } }])
      expect(await readChanges(world.store, 'mallory', { after: 0 })).toEqual([])
      expect(await world.store.backlog('mallory', 0, 0)).toEqual([])
      expect(await world.store.conversations('mallory', null, 10)).toEqual([])
      expect(await world.store.intervals('dm:ada:bob', 'mallory')).toEqual([])
      expect(await world.store.groups('mallory')).toEqual([])
      expect(await world.store.latestVersions(['mallory'], 0)).toEqual(new Map())
    })
  })

  describe('changes of profiles', () => {
    test('[P5] [P9] concern the user and everybody who shares a conversation with that user, and nobody else', async () => {
      for (const userId of ['ada', 'bob', 'cleo', 'dora', 'eve', 'finn']) await world.createUser(userId)
      await send('bob', 'ada', 'direct')
      await send('cleo', 'group:g1', 'in a group', { members: ['cleo', 'ada', 'finn'] })
      await send('dora', 'bob', 'one step further')
      await send('eve', 'cleo', 'another step')
      const after = await world.present()
      const profile = await world.rename('ada', 'Ada Lovelace')
      const change = { kind: 'user', version: profile.version, conversationId: null, user: profile }
      for (const reader of readers('ada', 'bob', 'cleo', 'finn'))
        for (const limit of [1, 1_000])
          expect(await readChanges(world.store, reader, { after, limit })).toEqual([change])
      for (const reader of ['dora', 'eve', 'mallory'])
        expect(await readChanges(world.store, reader, { after })).toEqual([])
      const concerned = await world.store.latestVersions(['ada', 'bob', 'cleo', 'dora', 'eve', 'finn'], after)
      expect([...concerned].toSorted()).toEqual(['ada', 'bob', 'cleo', 'finn'].map((id) => [id, profile.version]))
    })

    test('[P5] begin with the account', async () => {
      const after = await world.present()
      await world.createUser('ada', 'Ada')
      await world.createUser('bob', 'Bob')
      await world.createUser('eve', 'Eve')
      await send('ada', 'bob', 'hi')
      for (const reader of readers('ada', 'bob', 'eve')) await expectChanges(reader, after)
      expect(told(await readChanges(world.store, 'bob', { after }))).toEqual(['user Ada', 'user Bob', 'message hi'])
    })

    test('[P5] come once at their latest, among messages, and to whoever has no conversation', async () => {
      await world.createUser('ada')
      await world.createUser('bob')
      const after = await world.present()
      await world.rename('ada', 'Ada A.')
      const alone = await world.rename('ada', 'Ada B.')
      expect(await readChanges(world.store, 'ada', { after })).toMatchObject([{ kind: 'user', user: alone }])
      await send('ada', 'bob', 'one')
      await world.rename('ada', 'Ada C.')
      await send('ada', 'bob', 'two')
      await world.rename('bob', 'Bob A.')
      for (const reader of readers('ada', 'bob')) {
        expect(told(await readChanges(world.store, reader, { after }))).toEqual([
          'message one',
          'user Ada C.',
          'message two',
          'user Bob A.',
        ])
        await expectChanges(reader, after)
      }
    })
  })
}
