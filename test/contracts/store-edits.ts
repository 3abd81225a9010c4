import { describe, expect, test } from 'vitest'
import { limits } from '../../server/contract/index.ts'
import type { StoredMessage } from '../../server/domain/ports.ts'
import { oddTexts } from './store-messages.ts'
import { draft, type StoreWorld } from './store-world.ts'

export const editTests = (world: StoreWorld): void => {
  const { send, edit, stored } = world
  const texts = async ({ conversationId, seq }: StoredMessage) =>
    (await world.store.textVersions({ conversationId, seq })).map(({ revision, text }) => `${revision} ${text}`)
  const editAt = (seq: number, revision: number, text: string, conversationId = 'dm:ada:bob') =>
    world.store.edit({ conversationId, seq, revision, text, editedAt: new Date() })

  describe('edit', () => {
    test('gives a message its next text at a new version, and keeps all else', async () => {
      const first = await send('ada', 'bob', 'helo', { clientMessageId: 'c1' })
      const beside = await send('bob', 'ada', 'hi')
      const editedAt = new Date(first.sentAt.getTime() + 5_000)
      const answer = await world.store.edit({
        conversationId: 'dm:ada:bob',
        seq: 1,
        revision: 1,
        text: 'hello',
        editedAt,
      })
      expect(answer).toEqual({
        message: { ...first, text: 'hello', revision: 2, editedAt, version: expect.any(Number) },
        repeated: false,
      })
      expect(answer.message.version).toBeGreaterThan(beside.version)
      expect(await stored('dm:ada:bob')).toEqual([answer.message, beside])
      expect((await world.store.conversation('dm:ada:bob'))!.lastSeq).toBe(2)
    })

    test('keeps the texts of a message, the first one first, the present one last, each with its time', async () => {
      const first = await send('ada', 'bob', 'one', { sentAt: new Date(1_000) })
      expect(await world.store.textVersions(first)).toEqual([{ revision: 1, text: 'one', since: new Date(1_000) }])
      const second = await edit(first, 'two', new Date(2_000))
      await edit(second, 'three', new Date(3_000))
      expect(await world.store.textVersions(first)).toEqual([
        { revision: 1, text: 'one', since: new Date(1_000) },
        { revision: 2, text: 'two', since: new Date(2_000) },
        { revision: 3, text: 'three', since: new Date(3_000) },
      ])
      await send('ada', 'bob', 'beside it')
      expect(await texts({ ...first, seq: 2 })).toEqual(['1 beside it'])
      expect(await texts({ ...first, seq: 3 })).toEqual([])
      expect(await texts({ ...first, conversationId: 'dm:no:where' })).toEqual([])
    })

    test(`keeps ${limits.formerTextsMax} former texts of a message: the first one always, and the newest others`, async () => {
      const first = await send('ada', 'bob', 'text 1', { clientMessageId: 'c1' })
      let message = first
      for (let n = 2; n <= 60; n++) message = await edit(message, `text ${n}`)
      expect(message).toMatchObject({ text: 'text 60', revision: 60 })
      const newest = Array.from({ length: limits.formerTextsMax }, (_, i) => 60 - limits.formerTextsMax + 1 + i)
      expect(await texts(first)).toEqual([1, ...newest].map((n) => `${n} text ${n}`))
      // The first text is what a repeat of the message is compared with.
      const again = await world.store.append(draft('ada', 'bob', 'text 1', { clientMessageId: 'c1' }))
      expect(again).toEqual({ message, repeated: true })
    })

    test('an old or a future revision is a conflict, in words of its own, and changes nothing', async () => {
      const first = await send('ada', 'bob', 'one')
      const now = await edit(await edit(first, 'two'), 'three')
      for (const revision of [1, 2, 4, 5, 100])
        await expect(editAt(1, revision, 'other')).rejects.toMatchObject({
          kind: 'conflict',
          message: expect.not.stringContaining('clientMessageId'),
        })
      expect(await stored('dm:ada:bob')).toEqual([now])
      expect(await texts(first)).toEqual(['1 one', '2 two', '3 three'])
    })

    test('of edits that race on one revision exactly one wins', async () => {
      const first = await send('ada', 'bob', 'one')
      const results = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => editAt(1, 1, `text ${i}`)))
      const won = results.filter((result) => result.status === 'fulfilled')
      const lost = results.filter((result) => result.status === 'rejected')
      expect(won).toMatchObject([{ value: { repeated: false, message: { revision: 2 } } }])
      expect(lost).toMatchObject(Array(9).fill({ reason: { kind: 'conflict' } }))
      expect(await stored('dm:ada:bob')).toEqual([won[0]!.value.message])
      expect(await texts(first)).toEqual(['1 one', `2 ${won[0]!.value.message.text}`])
    })

    test('[P4] the same edit again returns the message as it is now, also after further edits', async () => {
      const first = await send('ada', 'bob', 'one')
      const second = await edit(first, 'two')
      expect(await editAt(1, 1, 'two')).toEqual({ message: second, repeated: true })
      const third = await edit(second, 'three')
      const fourth = await edit(third, 'two')
      expect(await editAt(1, 1, 'two')).toEqual({ message: fourth, repeated: true })
      expect(await editAt(1, 2, 'three')).toEqual({ message: fourth, repeated: true })
      expect(await editAt(1, 3, 'two')).toEqual({ message: fourth, repeated: true })
      // A text that the message had, but not as the next one of this revision.
      for (const [revision, text] of [
        [1, 'three'],
        [2, 'two'],
        [3, 'three'],
        [1, 'one'],
      ] as const)
        await expect(editAt(1, revision, text)).rejects.toMatchObject({ kind: 'conflict' })
      expect(await stored('dm:ada:bob')).toEqual([fourth])
    })

    test('[P4] the same edit at once is one edit, however often', async () => {
      const first = await send('ada', 'bob', 'one')
      const answers = await Promise.all(Array.from({ length: 20 }, () => editAt(1, 1, 'two')))
      expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1)
      expect(new Set(answers.map(({ message }) => message.version)).size).toBe(1)
      expect(await texts(first)).toEqual(['1 one', '2 two'])
    })

    test('an edit to the same text is an edit, too', async () => {
      const first = await send('ada', 'bob', 'one')
      expect(await edit(first, 'one')).toMatchObject({ revision: 2, text: 'one' })
      expect(await editAt(1, 1, 'one')).toMatchObject({ repeated: true, message: { revision: 2 } })
      expect(await texts(first)).toEqual(['1 one', '2 one'])
    })

    test('what is not there is an unknownMessage', async () => {
      await send('ada', 'bob', 'one')
      await send('ada', 'cleo', 'one')
      await send('ada', 'cleo', 'two')
      const unknown = { kind: 'unknownMessage' }
      await expect(editAt(2, 1, 'two')).rejects.toMatchObject(unknown)
      await expect(editAt(1, 1, 'two', 'dm:no:where')).rejects.toMatchObject(unknown)
      expect(await world.store.conversation('dm:no:where')).toBeNull()
    })

    test('an edit is never earlier than the message', async () => {
      const first = await send('ada', 'bob', 'one', { sentAt: new Date(5_000) })
      const edited = await edit(first, 'two', new Date(1_000))
      expect(edited).toMatchObject({ sentAt: new Date(5_000), editedAt: new Date(5_000) })
      expect((await world.store.textVersions(first)).map(({ since }) => since)).toEqual([
        new Date(5_000),
        new Date(5_000),
      ])
    })

    test('[P1] keeps every text exactly as it was written, also as a former one', async () => {
      let message = await send('ada', 'bob', 'first')
      for (const [what, text] of Object.entries(oddTexts)) {
        message = await edit(message, text)
        expect(message.text, what).toBe(text)
        expect(await stored('dm:ada:bob'), what).toEqual([message])
        expect(await editAt(1, message.revision - 1, text), what).toEqual({ message, repeated: true })
      }
      const kept = (await world.store.textVersions(message)).map(({ text }) => text)
      expect(kept).toEqual(['first', ...Object.values(oddTexts)])
    })

    test('an edit that fails does not fail the writes beside it', async () => {
      await send('ada', 'bob', 'one')
      const results = await Promise.allSettled([
        send('ada', 'bob', 'two'),
        editAt(9, 1, 'nowhere'),
        editAt(1, 7, 'not yet'),
        editAt(1, 1, 'edited'),
        send('ada', 'cleo', 'three'),
      ])
      expect(results.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'rejected',
        'fulfilled',
        'fulfilled',
      ])
      expect((await stored('dm:ada:bob')).map(({ text }) => text)).toEqual(['edited', 'two'])
    })

    test('an edit shows in the list of conversations and leaves their order as it is', async () => {
      const older = await send('ada', 'bob', 'one')
      const newer = await send('ada', 'cleo', 'two')
      const edited = await edit(older, 'edited')
      for (const userId of ['ada', 'bob'])
        expect((await world.store.conversations(userId, null, 10)).at(-1)).toMatchObject({
          lastMessage: edited,
          lastVersion: older.version,
        })
      expect((await world.store.conversations('ada', null, 10))[0]).toMatchObject({ lastVersion: newer.version })
      // Below the version at which its newest message was sent, whatever became of that.
      const below = await world.store.conversations('ada', newer.version, 10)
      expect(below.map(({ id }) => id)).toEqual(['dm:ada:bob'])
      expect(await world.store.conversations('ada', older.version, 10)).toEqual([])
    })

    test('[P4] a message that is sent again after edits is the same where its first text is', async () => {
      const first = await send('ada', 'bob', 'one', { clientMessageId: 'c1' })
      const edited = await edit(first, 'two')
      const again = (text: string) => world.store.append(draft('ada', 'bob', text, { clientMessageId: 'c1' }))
      expect(await again('one')).toEqual({ message: edited, repeated: true })
      await expect(again('two')).rejects.toMatchObject({ kind: 'conflict' })
      await expect(again('other')).rejects.toMatchObject({ kind: 'conflict' })
      expect(await stored('dm:ada:bob')).toEqual([edited])
    })
  })

  describe('delete', () => {
    const deleteFirst = (deletedAt = new Date()) =>
      world.store.delete({ conversationId: 'dm:ada:bob', seq: 1, deletedAt })

    test('leaves a tombstone: the number, the id and the sender stay, the texts are gone', async () => {
      const first = await send('ada', 'bob', 'secret', { clientMessageId: 'c1' })
      const edited = await edit(first, 'more secret')
      const beside = await send('bob', 'ada', 'hi')
      const deletedAt = new Date(edited.editedAt!.getTime() + 5_000)
      const answer = await deleteFirst(deletedAt)
      expect(answer).toEqual({
        message: { ...edited, text: '', deletedAt, version: expect.any(Number) },
        repeated: false,
      })
      expect(answer.message.version).toBeGreaterThan(beside.version)
      expect(await stored('dm:ada:bob')).toEqual([answer.message, beside])
      expect(await world.store.textVersions(first)).toEqual([])
      expect((await send('ada', 'bob', 'next')).seq).toBe(3)
    })

    test('of a deleted message nothing changes', async () => {
      const first = await send('ada', 'bob', 'one')
      const tombstone = await world.delete(first)
      const later = new Date(tombstone.deletedAt!.getTime() + 1_000)
      expect(await deleteFirst(later)).toEqual({ message: tombstone, repeated: true })
      const deleted = { kind: 'messageDeleted' }
      for (const revision of [1, 2, 7]) await expect(editAt(1, revision, 'two')).rejects.toMatchObject(deleted)
      expect(await stored('dm:ada:bob')).toEqual([tombstone])
      expect(await world.store.textVersions(first)).toEqual([])
    })

    test('asked for at once it is one deletion, and an edit beside it does not bring the text back', async () => {
      await send('ada', 'bob', 'one')
      const deletions = Promise.all(Array.from({ length: 10 }, () => deleteFirst()))
      const edits = Promise.allSettled(Array.from({ length: 10 }, (_, i) => editAt(1, 1, `text ${i}`)))
      const answers = await deletions
      await edits
      expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1)
      expect(new Set(answers.map(({ message }) => message.version)).size).toBe(1)
      expect(await stored('dm:ada:bob')).toEqual([answers[0]!.message])
      expect(answers[0]!.message.text).toBe('')
      expect(await world.store.textVersions({ conversationId: 'dm:ada:bob', seq: 1 })).toEqual([])
    })

    test('what is not there is an unknownMessage', async () => {
      await send('ada', 'bob', 'one')
      for (const place of [
        { conversationId: 'dm:ada:bob', seq: 2 },
        { conversationId: 'dm:no:where', seq: 1 },
      ])
        await expect(world.store.delete({ ...place, deletedAt: new Date() })).rejects.toMatchObject({
          kind: 'unknownMessage',
        })
    })

    test('a deleted message stays the newest one of its conversation', async () => {
      const older = await send('ada', 'bob', 'one')
      await send('ada', 'cleo', 'two')
      const tombstone = await world.delete(older)
      const conversations = await world.store.conversations('ada', null, 10)
      expect(conversations.map(({ id }) => id)).toEqual(['dm:ada:cleo', 'dm:ada:bob'])
      expect(conversations[1]).toMatchObject({ lastMessage: tombstone, lastVersion: older.version })
    })

    test('[P4] a deleted message that is sent again stays deleted', async () => {
      const first = await send('ada', 'bob', 'one', { clientMessageId: 'c1' })
      const tombstone = await world.delete(await edit(first, 'two'))
      const again = await world.store.append(draft('ada', 'bob', 'one', { clientMessageId: 'c1' }))
      expect(again).toEqual({ message: tombstone, repeated: true })
      expect(await stored('dm:ada:bob')).toEqual([tombstone])
    })
  })
}
