import { describe, expect, test } from 'vitest'
import type { Bus, BusEvent } from '../../server/domain/ports.ts'
import { createInbox } from '../harness/plain-client.ts'

/** Two places at which the same bus is published on and listened to; they may be one. */
export interface OpenedBus extends AsyncDisposable {
  here: Bus
  there: Bus
}

export const messageEvent = (seq: number): BusEvent => ({
  type: 'message',
  message: {
    id: `dm:ada:bob:${seq}`,
    conversationId: 'dm:ada:bob',
    seq,
    version: seq,
    sender: 'ada',
    text: `tab\t line\n separator\u2028 nul\0 👋 ${seq}`,
    sentAt: new Date(1_700_000_000_123),
    clientMessageId: null,
    delivered: false,
    read: false,
  },
})
const events: BusEvent[] = [
  messageEvent(1),
  {
    type: 'receipt',
    receipt: { conversationId: 'dm:ada:bob', username: 'bob', deliveredSeq: 2, readSeq: 1, version: 7 },
  },
  { type: 'sessionEnded', tokenHash: 'abc_-123' },
]

const listenAt = (bus: Bus, username: string) => {
  const inbox = createInbox<BusEvent>()
  let gaps = 0
  const stop = bus.listen(username, inbox.add, () => gaps++)
  return { ...inbox, stop, gaps: () => gaps }
}

/** What every bus does, sentence by sentence of the port. */
export const busContract = (name: string, open: () => Promise<OpenedBus>): void => {
  describe(`the ${name} bus`, () => {
    test('brings an event as it was published, here and there', async () => {
      await using opened = await open()
      const { here, there } = opened
      const [atHere, atThere] = [listenAt(here, 'bob'), listenAt(there, 'bob')]
      for (const event of events) here.publish(['bob'], event)
      for (const inbox of [atHere, atThere]) {
        await inbox.until(() => inbox.items.length === events.length)
        expect(inbox.items).toEqual(events)
        expect(inbox.gaps()).toBe(0)
      }
    })

    test('brings it to each listener of each of its users, and to nobody else', async () => {
      await using opened = await open()
      const { here, there } = opened
      const wanted = ['ada', 'bob', 'bob'].map((username) => listenAt(there, username))
      const others = ['cyd', 'bo', 'bobby', 'a'].map((username) => listenAt(there, username))
      here.publish(['ada', 'bob'], messageEvent(1))
      here.publish(['bob'], messageEvent(2))
      for (const inbox of wanted.slice(1)) await inbox.until(() => inbox.items.length === 2)
      expect(wanted.map(({ items }) => items.length)).toEqual([1, 2, 2])
      expect(others.flatMap(({ items }) => items)).toEqual([])
    })

    test('brings them in the order in which one place published them, thousands at once', async () => {
      await using opened = await open()
      const { here, there } = opened
      const inbox = listenAt(there, 'bob')
      const seqs = Array.from({ length: 20_000 }, (_, i) => i + 1)
      for (const seq of seqs) here.publish(['bob'], messageEvent(seq))
      await inbox.until(() => inbox.items.length === seqs.length)
      expect(inbox.items.map((event) => event.type === 'message' && event.message.seq)).toEqual(seqs)
      expect(inbox.gaps()).toBe(0)
    })

    test('brings nothing any more to whoever stopped listening, and still to the other of the same user', async () => {
      await using opened = await open()
      const { here, there } = opened
      const [stopped, other] = [listenAt(there, 'bob'), listenAt(there, 'bob')]
      stopped.stop()
      stopped.stop()
      here.publish(['bob'], messageEvent(1))
      await other.until(() => other.items.length === 1)
      expect(stopped.items).toEqual([])
    })

    test('a listener may stop, and another begin, while an event is told', async () => {
      await using opened = await open()
      const { here, there } = opened
      const told: string[] = []
      const stop = there.listen(
        'bob',
        () => {
          told.push('first')
          stop()
        },
        () => {},
      )
      const inbox = listenAt(there, 'bob')
      here.publish(['bob'], messageEvent(1))
      here.publish(['bob'], messageEvent(2))
      await inbox.until(() => inbox.items.length === 2)
      expect(told).toEqual(['first'])
    })

    test('is whole', async () => {
      await using opened = await open()
      expect([opened.here.whole(), opened.there.whole()]).toEqual([true, true])
    })
  })
}
