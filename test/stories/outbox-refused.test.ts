import { IDBFactory, IDBObjectStore } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ChatError, indexedDbStorage } from '../../client-sdk/src/node.ts'
import { chatOf, isEmpty } from '../harness/chat.ts'
import { createInbox } from '../harness/plain-client.ts'
import { startWorld } from '../harness/world.ts'

// A browser that refuses to keep anything is no reason to say nothing: the chat goes on in memory, and says what that means.

const define = (value: PropertyDescriptor) =>
  Object.defineProperty(globalThis, 'indexedDB', { configurable: true, ...value })
const withOpen = (open: () => never) => Object.assign(Object.create(new IDBFactory()), { open })
const refuse = () => {
  throw new DOMException('site data is blocked', 'SecurityError')
}
const failLater = () => {
  const request = { error: new DOMException('site data is blocked', 'UnknownError') } as IDBOpenDBRequest
  queueMicrotask(() => request.onerror?.(new Event('error')))
  return request as never
}
const told = (words: string) => ({
  kind: 'notStored',
  message: expect.stringMatching(
    `^Messages that wait to be sent are kept only as long as this page is open: .*${words}`,
  ),
})

beforeEach(() => {
  define({ value: new IDBFactory(), writable: true })
})
afterEach(() => {
  Reflect.deleteProperty(globalThis, 'indexedDB')
  Reflect.deleteProperty(globalThis, 'navigator')
})

test.each<[string, string, PropertyDescriptor]>([
  ['throws when it is opened', 'site data is blocked', { value: withOpen(refuse) }],
  ['cannot be opened', 'site data is blocked', { value: withOpen(failLater) }],
  ['throws when it is looked at', 'site data is blocked', { get: refuse }],
  ['is null', 'null', { value: null }],
])('[P2] where IndexedDB %s, messages are sent from memory, and that is said once', async (_, words, descriptor) => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  define(descriptor)
  const errors: ChatError[] = []
  await using chat = chatOf(ada, { onError: (error) => errors.push(error) })
  for (const text of ['one', 'two']) await chat.send({ to: 'bob', text }).sent
  expect(await bob.received(2)).toEqual(['one', 'two'])
  await isEmpty(chat)
  expect(errors).toEqual([expect.objectContaining(told(words))])
})

test('[P2] [P3] where its room is full, messages and edits are sent from memory, and that is said once', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  const errors: ChatError[] = []
  await using chat = chatOf(ada, { onError: (error) => errors.push(error) })
  await chat.send({ to: 'bob', text: 'one' }).sent
  expect(errors).toEqual([])
  using _ = full()
  const view = chat.conversation('bob')
  const two = view.send('two')
  view.send('three')
  expect(await two.sent).toMatchObject({ seq: 2 })
  await chat.edit({ messageId: 'dm:ada:bob:2', revision: 1, text: 'two, edited' }).saved
  expect(await bob.received(3)).toEqual(['one', 'two', 'three'])
  await isEmpty(chat)
  expect(errors).toEqual([expect.objectContaining(told(''))])
})

test('[P2] where it is deleted and that waits for another page, messages are sent from memory', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  const errors: ChatError[] = []
  await using chat = chatOf(ada, { onError: (error) => errors.push(error) })
  await chat.send({ to: 'bob', text: 'one' }).sent
  const name = `parley outbox of ada at ${ada.network.url}`
  // It holds the database and will not let go of it.
  await new Promise((resolve) => {
    indexedDB.open(name, 1).onsuccess = resolve
  })
  await new Promise((resolve) => {
    indexedDB.deleteDatabase(name).onblocked = resolve
  })
  for (const text of ['two', 'three']) chat.send({ to: 'bob', text })
  expect(await bob.received(3)).toEqual(['one', 'two', 'three'])
  expect(errors).toEqual([expect.objectContaining(told('The storage has not answered within 10 s'))])
  // From now on nobody waits for it.
  await chat.send({ to: 'bob', text: 'four' }).sent
  await isEmpty(chat)
})

test('[P2] a tab that can keep nothing sends while another tab holds the lead', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  define({ value: new IDBFactory(), writable: true })
  const granted = new Set<string>()
  // The first who asks has it, and keeps it.
  const request = (name: string, _: unknown, whileHeld: () => Promise<void>) =>
    granted.has(name) ? new Promise(() => {}) : granted.add(name) && whileHeld()
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { locks: { request } } })
  await using leader = chatOf(ada)
  await leader.send({ to: 'bob', text: 'one' }).sent
  await using tab = chatOf(ada)
  await tab.send({ to: 'bob', text: 'two' }).sent
  using _ = full()
  await tab.send({ to: 'bob', text: 'three' }).sent
  expect(await bob.received(3)).toEqual(['one', 'two', 'three'])
})

test('[P2] a lock that the browser grants after it was given up keeps nobody from sending', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  const [asked, mayGrant] = [createInbox<true>(), createInbox<true>()]
  // Chromium forgets a signal that aborts while it looks whether the page may have locks, which the first has to wait for.
  let held = mayGrant.until(() => mayGrant.items.length > 0).then(() => {})
  const request = (_name: string, _: unknown, whileHeld: () => Promise<void>) => {
    asked.add(true)
    held = held.then(whileHeld)
    return held
  }
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { locks: { request } } })
  const left = chatOf(ada)
  await asked.until(() => asked.items.length > 0)
  await left[Symbol.asyncDispose]()
  mayGrant.add(true)
  await using chat = chatOf(ada)
  await chat.send({ to: 'bob', text: 'one' }).sent
  expect(await bob.received(1)).toEqual(['one'])
})

test('[P2] where the browser refuses locks, messages are sent all the same', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  const locks = { request: () => Promise.reject(new DOMException('locks are blocked', 'SecurityError')) }
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { locks } })
  await using chat = chatOf(ada)
  await chat.send({ to: 'bob', text: 'one' }).sent
  expect(await bob.received(1)).toEqual(['one'])
})

test('who names IndexedDB wants what is kept: where it is refused each message fails, and none is sent', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada', 'bob')
  define({ value: withOpen(refuse) })
  const errors: ChatError[] = []
  await using chat = chatOf(ada, { storage: indexedDbStorage, onError: (error) => errors.push(error) })
  await expect(chat.send({ to: 'bob', text: 'one' }).sent).rejects.toMatchObject({ kind: 'notStored' })
  expect(errors).toMatchObject([{ kind: 'notStored', message: 'The outbox cannot be opened: site data is blocked' }])
  expect((await chat.client.history({ conversation: 'bob' })).messages).toEqual([])
})

/** Whatever is to be put does not fit. */
const full = (): Disposable => {
  const { put } = IDBObjectStore.prototype
  IDBObjectStore.prototype.put = function (...values) {
    const request = put.apply(this, values)
    this.transaction.abort()
    return request
  }
  return {
    [Symbol.dispose]() {
      IDBObjectStore.prototype.put = put
    },
  }
}
