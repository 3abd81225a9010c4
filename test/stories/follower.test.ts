import { expect, test } from 'vitest'
import { createInProcessBus } from '../../server/bus/in-process.ts'
import type { Version } from '../../server/contract/index.ts'
import type { Followed } from '../../server/domain/follower.ts'
import type { Bus, Change } from '../../server/domain/ports.ts'
import { temporarySqlite } from '../contracts/temporary-sqlite.ts'
import { advanceUntil, createTestClock } from '../harness/clock.ts'
import { createInbox } from '../harness/plain-client.ts'
import { createRules } from '../harness/rules.ts'

const open = async (bus: Bus = createInProcessBus()) => {
  const opened = await temporarySqlite()
  const { store } = opened
  const clock = createTestClock()
  const chat = createRules({ store, bus, clock })
  for (const userId of ['ada', 'bob', 'cyd'])
    await store.createUser({ userId, displayName: userId, passwordHash: '', createdAt: new Date(0) })
  // Who begins in the millisecond in which they were created may be told of it.
  for (const at = Date.now(); Date.now() === at; ) await new Promise((resolve) => setImmediate(resolve))
  const over: AbortController[] = []
  return {
    store,
    chat,
    clock,
    follow(after: Version | null) {
      const end = new AbortController()
      over.push(end)
      const inbox = createInbox<Followed>()
      const read = async () => {
        for await (const followed of chat.followAll(after, end.signal)) inbox.add(followed)
      }
      read().catch(inbox.fail)
      return { ...inbox, words: () => inbox.items.map(({ change }) => wordsOf(change)), stop: () => end.abort() }
    },
    async [Symbol.asyncDispose]() {
      for (const end of over) end.abort()
      await chat[Symbol.asyncDispose]()
      await opened.close()
    },
  }
}

const wordsOf = (change: Change): string => {
  switch (change.kind) {
    case 'message':
    case 'messageChanged':
      return `${change.kind} ${change.message.deletedAt ? 'deleted' : change.message.text}`
    case 'receipt':
      return `receipt ${change.receipt.userId} ${change.receipt.readSeq}`
    case 'user':
      return `user ${change.user.displayName}`
  }
}

const doEverything = async ({ chat }: Awaited<ReturnType<typeof open>>) => {
  const first = await chat.sendMessage('ada', { to: 'bob', text: 'one' })
  const second = await chat.sendMessage('bob', { to: 'cyd', text: 'two' })
  await chat.editMessage('ada', { messageId: first.id, text: 'one, edited', revision: 1 })
  await chat.deleteMessage('bob', { messageId: second.id })
  await chat.markRead('bob', { messageId: first.id })
  await chat.updateProfile('cyd', { displayName: 'Cyd C.' })
}

test('[P5] a follower of everything is given each change once, in order, whomever it concerns, as it happens', async () => {
  await using opened = await open()
  const follower = opened.follow(null)
  // The follower listens before it is asked for the present.
  await opened.store.version()
  await doEverything(opened)
  await follower.until(() => follower.items.length === 6)
  expect(follower.words()).toEqual([
    'message one',
    'message two',
    'messageChanged one, edited',
    'messageChanged deleted',
    'receipt bob 1',
    'user Cyd C.',
  ])
})

test('[P5] one that comes back is given what changed since, each subject once at its latest state', async () => {
  await using opened = await open()
  const start = await opened.store.version()
  await doEverything(opened)
  const follower = opened.follow(start)
  await follower.until(() => follower.items.length === 4)
  expect(follower.words()).toEqual(['message one, edited', 'message deleted', 'receipt bob 1', 'user Cyd C.'])

  const message = await opened.chat.sendMessage('ada', { to: 'cyd', text: 'live' })
  await follower.until(() => follower.items.length === 5)
  follower.stop()
  await opened.chat.editMessage('ada', { messageId: message.id, text: 'while it was away', revision: 1 })
  const again = opened.follow(follower.items.at(-1)!.cursor)
  await again.until(() => again.items.length === 1)
  expect(again.words()).toEqual(['messageChanged while it was away'])
})

test('[P5] every cursor on the way goes on behind its change', async () => {
  await using opened = await open()
  const start = await opened.store.version()
  await doEverything(opened)
  const whole = opened.follow(start)
  await whole.until(() => whole.items.length === 4)
  whole.stop()
  for (const [i, { cursor }] of whole.items.entries()) {
    const rest = opened.follow(cursor)
    const expected = whole.words().slice(i + 1)
    await opened.chat.sendMessage('ada', { to: 'ada', text: `mark ${i}` })
    await rest.until(() => rest.words().includes(`message mark ${i}`))
    // What was sent at or before the cursor, and changed behind it, comes as changed.
    const later = whole.items.slice(0, i + 1).filter(({ change }) => change.kind === 'message')
    const changed = later.filter(({ change }) => 'message' in change && change.message.version > cursor)
    expect(
      rest
        .words()
        .filter((words) => !words.startsWith('message mark'))
        .toSorted(),
    ).toEqual(
      [...expected, ...changed.map(({ change }) => wordsOf(change).replace('message ', 'messageChanged '))].toSorted(),
    )
    rest.stop()
  }
})

test('[P5] what the bus has lost without a word is found in the store', async () => {
  const bus = createInProcessBus()
  let isLost = false
  await using opened = await open({
    ...bus,
    publish(audience, change) {
      if (!isLost) bus.publish(audience, change)
    },
  })
  const follower = opened.follow(null)
  await opened.store.version()
  await opened.chat.sendMessage('ada', { to: 'bob', text: 'heard' })
  await follower.until(() => follower.items.length === 1)
  isLost = true
  await opened.chat.sendMessage('ada', { to: 'bob', text: 'lost' })
  await advanceUntil(
    opened.clock,
    1_000,
    follower.until(() => follower.items.length === 2),
  )
  expect(follower.words()).toEqual(['message heard', 'message lost'])
})

test('[P5] with several nodes the store alone is believed, whatever order the bus brings', async () => {
  const bus = createInProcessBus()
  await using opened = await open({ ...bus, shared: true })
  const follower = opened.follow(null)
  await opened.store.version()
  await doEverything(opened)
  await advanceUntil(
    opened.clock,
    100,
    follower.until(() => follower.items.length >= 4),
  )
  expect(follower.words()).toEqual(['message one, edited', 'message deleted', 'receipt bob 1', 'user Cyd C.'])
})

test('[P5] random lives: followers that stop and come back miss nothing and keep the order of each conversation', async () => {
  await using opened = await open()
  const { chat, store } = opened
  let position = await store.version()
  const latest = new Map<string, string>()
  const seqs = new Map<string, number[]>()
  const people = ['ada', 'bob', 'cyd']
  const texts = new Map<string, string>()
  for (let round = 0; round < 12; round++) {
    const follower = opened.follow(position)
    const work = Array.from({ length: 15 }, async (_, i) => {
      const from = people[(round + i) % 3]!
      const to = people[(round + i + 1) % 3]!
      const sent = await chat.sendMessage(from, { to, text: `${round} ${i}` })
      texts.set(sent.id, sent.text)
      if (i % 3 !== 0) return
      const edited = await chat.editMessage(from, { messageId: sent.id, text: `${round} ${i} edited`, revision: 1 })
      texts.set(sent.id, edited.text)
    })
    await Promise.all(work)
    await follower.until(() => {
      for (const { change } of follower.items)
        if (change.kind === 'message' || change.kind === 'messageChanged')
          latest.set(change.message.id, change.message.text)
      return [...texts].every(([id, text]) => latest.get(id) === text)
    })
    for (const { change } of follower.items)
      if (change.kind === 'message')
        seqs.set(change.conversationId, [...(seqs.get(change.conversationId) ?? []), change.message.seq])
    position = follower.items.at(-1)!.cursor
    follower.stop()
  }
  for (const numbers of seqs.values()) expect(numbers).toEqual(numbers.map((_, i) => i + 1))
})
