import { setMaxListeners } from 'node:events'
import { expect, test } from 'vitest'
import { createInProcessBus } from '../../server/bus/in-process.ts'
import { temporarySqlite } from '../contracts/temporary-sqlite.ts'
import { createTestClock } from '../harness/clock.ts'
import { createRules } from '../harness/rules.ts'
import { canWatchTurns, watchTurns } from '../harness/turns.ts'

test.skipIf(!canWatchTurns)(
  '[P10] 190 subscriptions from the beginning of time by one user hold no turn of the loop, and let others read in between (Linux only: it counts processor time of a thread)',
  async () => {
    await using opened = await temporarySqlite()
    const { store } = opened
    const chat = createRules({ store, bus: createInProcessBus(), clock: createTestClock() })
    const conversations = 400
    const peers = Array.from({ length: conversations }, (_, i) => `peer${i}`)
    for (const userId of ['ada', 'eve', ...peers])
      await store.createUser({ userId, displayName: userId, passwordHash: '', createdAt: new Date(0) })
    for (let n = 0; n < 50; n++) {
      const send = (peer: string) =>
        store.append({
          conversationId: `dm:ada:${peer}`,
          members: ['ada', peer],
          kind: 'direct',
          sender: peer,
          text: `message ${n} of ${peer}, about as long as messages tend to be in a chat of two people`,
          clientMessageId: null,
          sentAt: new Date(),
        })
      await Promise.all(peers.map(send))
    }

    const over = new AbortController()
    setMaxListeners(0, over.signal)
    let events = 0
    const subscribe = async () => {
      for await (const _ of chat.follow(
        'ada',
        { lastEventId: 'v0', ack: 'client' },
        over.signal,
        (_, event) => event,
      )) {
        events++
        if (over.signal.aborted) return
      }
    }
    const turns = watchTurns()
    const subscriptions = Array.from({ length: 190 }, subscribe)
    // The bystander is answered all the while.
    for (let i = 0; i < 100 || events < 1_000; i++) await chat.history('eve', { conversation: 'peer1', limit: 50 })
    const { longest, p99 } = turns.end()
    over.abort()
    await Promise.all(subscriptions)
    await chat[Symbol.asyncDispose]()

    // A page of a feed, or the start of a few, is a turn's work; before, the loop had none for seconds.
    expect(p99).toBeLessThan(50)
    expect(longest).toBeLessThan(150)
  },
)
