import { expect, test } from 'vitest'
import type { Status, StatusEvent } from '../../server/contract/index.ts'
import { advanceUntil, createTestClock } from '../harness/clock.ts'
import { createInbox } from '../harness/plain-client.ts'
import { startWorld, type World } from '../harness/world.ts'

const followStatus = (world: World, token: string, users?: string[]) => {
  const inbox = createInbox<Status>()
  const events: StatusEvent[] = []
  world.plain(token).api.onStatus.subscribe(users ? { users } : undefined, {
    onData(event) {
      events.push(event)
      for (const status of event.statuses) inbox.add(status)
    },
    onError: inbox.fail,
  })
  return { ...inbox, events }
}

const says =
  (userId: string, status: Status['status']) =>
  (item: Status): item is Status =>
    item.userId === userId && item.status === status

test('[P7] Bob comes and goes, over all of his devices, and who watches learns it', async () => {
  const clock = createTestClock()
  await using world = await startWorld({ clock })
  const [ada] = await world.people('ada')
  const watch = followStatus(world, ada.token)
  const [bo] = await world.people('bob')
  const phone = await world.device('bob')
  await advanceUntil(clock, 250, watch.first(says('bob', 'online')))
  expect(watch.events[0]).toMatchObject({ type: 'snapshot', more: false })
  expect((await ada.client.onlineUsers()).users.map(({ userId }) => userId)).toEqual(['ada', 'bob'])

  await phone[Symbol.asyncDispose]()
  await bo[Symbol.asyncDispose]()
  await advanceUntil(clock, 250, watch.first(says('bob', 'offline')))
  const last = watch.items.filter(({ userId }) => userId === 'bob').at(-1)
  expect(last).toMatchObject({ status: 'offline', lastSeenAt: expect.any(Date) })
  expect((await ada.client.onlineUsers()).users.map(({ userId }) => userId)).toEqual(['ada'])
})

test('[P7] who is back within the grace period was never away', async () => {
  const clock = createTestClock()
  await using world = await startWorld({ clock })
  const [ada, bo] = await world.people('ada', 'bob')
  const watch = followStatus(world, ada.token, ['bob'])
  await watch.first(says('bob', 'online'))
  bo.network.kick()
  await bo.client.me()
  clock.advance(60_000)
  await ada.send('bob', 'still there?')
  await bo.received(1)
  expect(watch.items.filter(({ status }) => status === 'offline')).toEqual([])
})

test('a snapshot of named users says of all what they are called, whether they are online, and when they were last', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  bo.client.close()
  await world.plain(ada.token).api.updateProfile.mutate({ displayName: 'Ada L.' })
  const watch = followStatus(world, ada.token, ['ada', 'bob', 'nobody'])
  await watch.some(3, (status): status is Status => status !== undefined)
  expect(watch.items[0]).toEqual({ userId: 'ada', displayName: 'Ada L.', status: 'online', lastSeenAt: null })
  expect(watch.items[2]).toEqual({ userId: 'nobody', displayName: 'nobody', status: 'offline', lastSeenAt: null })
})

test('online users come in pages by their ids', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada', 'bob', 'cyd')
  const first = await ada.client.onlineUsers({ limit: 2 })
  expect(first.users.map(({ userId }) => userId)).toEqual(['ada', 'bob'])
  const second = await ada.client.onlineUsers({ limit: 2, cursor: first.nextCursor ?? '' })
  expect(second).toMatchObject({ users: [{ userId: 'cyd' }], nextCursor: null })
})
