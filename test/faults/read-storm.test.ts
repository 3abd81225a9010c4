import { expect, test } from 'vitest'
import { createInProcessBus } from '../../server/bus/in-process.ts'
import { createListeners } from '../../server/bus/listeners.ts'
import type { ChatEvent } from '../../server/contract/index.ts'
import type { Store } from '../../server/domain/ports.ts'
import { temporarySqlite } from '../contracts/temporary-sqlite.ts'
import { createTestClock } from '../harness/clock.ts'
import { createInbox, isMessage } from '../harness/plain-client.ts'
import { createRules } from '../harness/rules.ts'

/** As a database with so many connections: what finds none free fails. */
const connections = 50

test('[P5] a node that missed everything while hundreds follow: all read what they missed, and the store is not overrun', async () => {
  await using opened = await temporarySqlite()
  let reading = 0
  let most = 0
  const counted =
    <Asked extends unknown[], Answer>(read: (...asked: Asked) => Promise<Answer>) =>
    async (...asked: Asked): Promise<Answer> => {
      most = Math.max(most, ++reading)
      if (reading > connections) throw new Error('no connection is free')
      // As an answer from elsewhere: in another turn.
      await new Promise((resolve) => setImmediate(resolve))
      try {
        return await read(...asked)
      } finally {
        reading--
      }
    }
  const countedPages = <Asked extends unknown[], Page>(read: (...asked: Asked) => AsyncIterable<Page>) =>
    async function* (...asked: Asked): AsyncGenerator<Page> {
      const pages = read(...asked)[Symbol.asyncIterator]()
      const next = counted(() => pages.next())
      for (let page = await next(); !page.done; page = await next()) yield page.value
    }
  const { store } = opened
  const far: Store = {
    ...store,
    parallelReads: 32,
    backlog: counted(store.backlog),
    changes: countedPages(store.changes),
    undelivered: countedPages(store.undelivered),
    receipts: counted(store.receipts),
  }
  const listeners = createListeners()
  const chat = createRules({
    store: far,
    // It loses all that is published, and says so later.
    bus: { ...createInProcessBus(), shared: true, publish() {}, listen: listeners.listen },
    clock: createTestClock(),
  })
  const names = Array.from({ length: 300 }, (_, i) => `user${i}`)
  for (const userId of [...names, 'ada'])
    await store.createUser({ userId, displayName: userId, passwordHash: '', createdAt: new Date(0) })

  const over = new AbortController()
  const followers = names.map((name) => {
    const inbox = createInbox<ChatEvent>()
    const listen = async () => {
      const input = { ack: 'client' as const }
      for await (const event of chat.follow(name, input, over.signal, (_, event) => event)) inbox.add(event)
    }
    return { inbox, done: listen().catch(inbox.fail) }
  })
  const all = <Item>(wait: (inbox: ReturnType<typeof createInbox<ChatEvent>>) => Promise<Item>) =>
    Promise.all(followers.map(({ inbox }) => wait(inbox)))
  await all((inbox) => inbox.first((event): event is typeof event => event.type === 'caughtUp'))
  for (const to of names) await chat.sendMessage('ada', { to, text: 'hello' })
  expect(followers.flatMap(({ inbox }) => inbox.items).filter(isMessage)).toEqual([])
  listeners.tellGap('gap')
  expect((await all((inbox) => inbox.first(isMessage))).map(({ message }) => message.text)).toEqual(
    names.map(() => 'hello'),
  )
  expect(most).toBeGreaterThan(10)
  over.abort()
  await Promise.all(followers.map(({ done }) => done))
  await chat[Symbol.asyncDispose]()
})
