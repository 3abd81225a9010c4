import { describe, expect, test } from 'vitest'
import type { Audience, Bus, PublishedChange } from '../../server/domain/ports.ts'
import { createInbox } from '../harness/plain-client.ts'

/** Two places at which the same bus is published on and listened to; they may be one. */
export interface OpenedBus extends AsyncDisposable {
  here: Bus
  there: Bus
}

export const conversation = 'dm:ada:bob'

export const message = (seq: number, conversationId = conversation): PublishedChange => ({
  kind: 'message',
  version: seq,
  conversationId,
  message: {
    id: `${conversationId}:${seq}`,
    conversationId,
    seq,
    version: seq,
    sender: 'ada',
    text: `tab\t line\n separator\u2028 nul\0 👋 ${seq}`,
    revision: 1,
    sentAt: new Date(1_700_000_000_123),
    editedAt: null,
    deletedAt: null,
    clientMessageId: null,
    delivered: false,
    read: false,
  },
})

const asMessage = (change: PublishedChange) => (change.kind === 'message' ? change.message : null)!

const changes: PublishedChange[] = [
  message(1),
  {
    ...message(8),
    kind: 'messageChanged',
    message: { ...asMessage(message(1)), version: 8, revision: 2, editedAt: new Date(1_700_000_001_000) },
  } as PublishedChange,
  {
    kind: 'receipt',
    version: 7,
    conversationId: conversation,
    receipt: { conversationId: conversation, userId: 'bob', deliveredSeq: 2, readSeq: 1, version: 7 },
  },
  { kind: 'user', version: 9, conversationId: null, user: { userId: 'ada', displayName: 'Ada', version: 9 } },
]

export const seqOf = (change: PublishedChange): number => asMessage(change).seq

const listenAt = (bus: Bus, ...audiences: Audience[]) => {
  const inbox = createInbox<PublishedChange>()
  let gaps = 0
  const stop = bus.listen(audiences, inbox.add, () => gaps++)
  return { ...inbox, stop, gaps: () => gaps }
}

/** What every bus does, sentence by sentence of the port. */
export const busContract = (name: string, open: () => Promise<OpenedBus>): void => {
  describe(`the ${name} bus`, () => {
    test('brings each kind of change as it was published, here and there', async () => {
      await using opened = await open()
      const { here, there } = opened
      const [atHere, atThere] = [listenAt(here, 'bob'), listenAt(there, 'bob')]
      for (const change of changes) here.publish(conversation, change)
      for (const inbox of [atHere, atThere]) {
        await inbox.until(() => inbox.items.length === changes.length)
        expect(inbox.items).toEqual(changes)
        expect(inbox.gaps()).toBe(0)
      }
    })

    test('a direct conversation is heard by both its people, a group by whoever listens to it, a user by that user', async () => {
      await using opened = await open()
      const { here, there } = opened
      const wanted = [listenAt(there, 'ada'), listenAt(there, 'bob'), listenAt(there, 'bob', 'group:g')]
      const others = ['cyd', 'bo', 'bobby', 'a', 'Bob', 'group:G'].map((audience) => listenAt(there, audience))
      here.publish(conversation, message(1))
      here.publish('bob', message(2))
      here.publish('group:g', message(3, 'group:g'))
      await wanted[2]!.until(() => wanted[2]!.items.length === 3)
      expect(wanted.map(({ items }) => items.map(seqOf))).toEqual([[1], [1, 2], [1, 2, 3]])
      expect(others.flatMap(({ items }) => items)).toEqual([])
    })

    test('notes to oneself come once', async () => {
      await using opened = await open()
      const inbox = listenAt(opened.there, 'ada')
      opened.here.publish('dm:ada:ada', message(1, 'dm:ada:ada'))
      opened.here.publish('ada', message(2))
      await inbox.until(() => inbox.items.length === 2)
      expect(inbox.items.map(seqOf)).toEqual([1, 2])
    })

    test('who listens to all hears everything once, whomever it concerns', async () => {
      await using opened = await open()
      const inbox = createInbox<PublishedChange>()
      const stop = opened.there.listenToAll(inbox.add, () => {})
      opened.here.publish(conversation, message(1))
      opened.here.publish('group:g', message(2, 'group:g'))
      opened.here.publish('nobody', message(3))
      await inbox.until(() => inbox.items.length === 3)
      expect(inbox.items.map(seqOf)).toEqual([1, 2, 3])
      stop()
    })

    test('[P8] tells of sessions that were ended, here and there', async () => {
      await using opened = await open()
      const { here, there } = opened
      const [atHere, atThere] = [createInbox<string>(), createInbox<string>()]
      here.onSessionEnd(atHere.add)
      const stop = there.onSessionEnd(atThere.add)
      here.endSession('abc_-123')
      for (const inbox of [atHere, atThere]) await inbox.until(() => inbox.items.length === 1)
      expect([...atHere.items, ...atThere.items]).toEqual(['abc_-123', 'abc_-123'])
      stop()
    })

    test('brings them in the order in which one place published them, thousands at once', async () => {
      await using opened = await open()
      const { here, there } = opened
      const inbox = listenAt(there, 'bob')
      const seqs = Array.from({ length: 20_000 }, (_, i) => i + 1)
      for (const seq of seqs) here.publish(conversation, message(seq))
      await inbox.until(() => inbox.items.length === seqs.length)
      expect(inbox.items.map(seqOf)).toEqual(seqs)
      expect(inbox.gaps()).toBe(0)
    })

    test('brings nothing any more to whoever stopped listening, and still to the other of the same user', async () => {
      await using opened = await open()
      const { here, there } = opened
      const [stopped, other] = [listenAt(there, 'bob'), listenAt(there, 'bob')]
      stopped.stop()
      stopped.stop()
      here.publish(conversation, message(1))
      await other.until(() => other.items.length === 1)
      expect(stopped.items).toEqual([])
    })

    test('a listener may stop, and another begin, while a change is told', async () => {
      await using opened = await open()
      const { here, there } = opened
      const told: string[] = []
      const stop = there.listen(
        ['bob'],
        () => {
          told.push('first')
          stop()
        },
        () => {},
      )
      const inbox = listenAt(there, 'bob')
      here.publish(conversation, message(1))
      here.publish(conversation, message(2))
      await inbox.until(() => inbox.items.length === 2)
      expect(told).toEqual(['first'])
    })

    test('is whole', async () => {
      await using opened = await open()
      expect([opened.here.whole(), opened.there.whole()]).toEqual([true, true])
    })
  })
}
