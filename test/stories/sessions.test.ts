import { once } from 'node:events'
import { expect, test } from 'vitest'
import { createTestClock } from '../harness/clock.ts'
import { createInbox, isMessage } from '../harness/plain-client.ts'
import { startRawClient } from '../harness/raw-client.ts'
import { password, startWorld } from '../harness/world.ts'

/** A call over HTTP, which leaves no connection behind. */
const post = async (url: string, path: string, token?: string) => {
  const response = await fetch(`${url}/trpc/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ json: { username: 'ada', password } }),
  })
  return response.json()
}

test('[P8] logging out cuts every connection of that session, and only of that one', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  const stolen = world.plain(ada.token)
  const inbox = stolen.follow()
  await inbox.some(1, (event): event is typeof event => event.type === 'ready')
  const phone = await world.device('ada')

  await ada.client.logout()
  await expect(stolen.api.me.query()).rejects.toMatchObject({ data: { kind: 'sessionEnded' } })
  await bo.send('ada', 'secret')
  expect(await phone.received(1)).toEqual(['secret'])
  expect(inbox.items.filter(isMessage)).toEqual([])
  expect(ada.inbox.items).toEqual([])
})

test('[P8] a session in use moves on; one that is not used for 30 days is over', async () => {
  const clock = createTestClock()
  await using world = await startWorld({ clock })
  const [ada] = await world.people('ada')
  const other = world.plain()
  const { session: forgotten } = await other.api.login.mutate({ username: 'ada', password })
  await other[Symbol.asyncDispose]()
  const { api } = world.plain(ada.token)
  for (let day = 0; day < 31; day++) {
    clock.advance(24 * 3_600_000)
    expect((await api.me.query()).userId).toBe('ada')
  }
  expect((await world.plain(ada.token).api.me.query()).userId).toBe('ada')
  await expect(world.plain(forgotten.token).api.me.query()).rejects.toMatchObject({ data: { kind: 'sessionEnded' } })
})

test('sessions that have expired are deleted', async () => {
  const clock = createTestClock()
  const deleted = createInbox<number>()
  await using world = await startWorld({
    clock,
    adapt: (ports) => ({
      ...ports,
      store: {
        ...ports.store,
        async deleteExpiredSessions(before) {
          const count = await ports.store.deleteExpiredSessions(before)
          deleted.add(count)
          return count
        },
      },
    }),
  })
  await post(world.url, 'register')
  for (let day = 0; day < 31; day++) clock.advance(24 * 3_600_000)
  await deleted.first((count): count is number => count === 1)
})

test('a session outlives a restart; a wrong token says so', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  await world.restart()
  expect(await ada.client.me()).toMatchObject({ userId: 'ada', displayName: 'ada' })
  await expect(world.plain('not-a-token').api.me.query()).rejects.toMatchObject({ data: { kind: 'sessionEnded' } })
})

test('a socket that comes with a token of no session is told so, and closed with 4401', async () => {
  await using world = await startWorld()
  await using raw = await startRawClient(world.url, 'not-a-token')
  const [answer] = await raw.exchange(1, [])
  expect(answer?.error?.json.data.kind).toBe('sessionEnded')
  const [code, reason] = await once(raw.socket, 'close')
  expect([code, String(reason)]).toEqual([4401, 'This session has ended; sign in again.'])
})

test('[P8] a session that is ended while one of its sockets signs in cuts that socket too', async () => {
  const clock = createTestClock()
  let whileItIsMovedOn = async () => {}
  await using world = await startWorld({
    clock,
    adapt: (ports) => ({
      ...ports,
      store: {
        ...ports.store,
        async extendSession(...session) {
          await ports.store.extendSession(...session)
          await whileItIsMovedOn()
        },
      },
    }),
  })
  const { token } = (await post(world.url, 'register')).result.data.json.session
  clock.advance(2 * 24 * 3_600_000)
  whileItIsMovedOn = async () => {
    whileItIsMovedOn = async () => {}
    await post(world.url, 'logout', token)
  }
  await using raw = await startRawClient(world.url, token)
  const [code] = await once(raw.socket, 'close')
  expect(code).toBe(4401)
})

test('a WebSocket without a session may register and log in, and nothing else', async () => {
  await using world = await startWorld()
  const { api } = world.plain()
  await expect(api.onlineUsers.query()).rejects.toMatchObject({ data: { kind: 'notSignedIn' } })
  const { user, session } = await api.register.mutate({ username: 'Ada', password, displayName: 'Ada L.' })
  expect(user).toMatchObject({ userId: 'ada', displayName: 'Ada L.', createdAt: expect.any(Date) })
  expect(session.token).toMatch(/^[\w-]{43}$/)
  expect((await api.me.query()).userId).toBe('ada')
})

test('the SDK asks for a new token when the old one has ended, and goes on', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  const { createClient } = await import('../../client-sdk/src/node.ts')
  const asked: string[] = []
  const client = createClient({
    url: world.url,
    async token(why) {
      asked.push(why)
      if (why === 'connect') return ada.token
      return (await world.plain().api.login.mutate({ username: 'ada', password })).session.token
    },
  })
  await client.me()
  const lost = new Promise<void>((resolve) => {
    client.onState(({ status }) => status === 'offline' && resolve())
  })
  await world.plain(ada.token).api.logout.mutate()
  await lost
  expect(await client.me()).toMatchObject({ userId: 'ada' })
  expect(asked).toEqual(['connect', 'ended'])
  client.close()
})

test('without a new token the SDK is signed out, says why, and can log in again', async () => {
  await using world = await startWorld()
  const [ada, bo] = await world.people('ada', 'bob')
  const signedOut = new Promise((resolve) => {
    ada.client.onState((state) => state.status === 'signedOut' && resolve(state))
  })
  await ada.client.logout()
  expect(await signedOut).toMatchObject({ error: { kind: 'sessionEnded' } })
  await ada.client.login({ username: 'ada', password })
  await ada.send('bob', 'back again')
  expect(await bo.received(1)).toEqual(['back again'])
})

test('[P9] a connection is one person: a login as somebody else is refused on it, and opens no session', async () => {
  await using world = await startWorld()
  await world.people('ada', 'bob')
  const { api } = world.plain()
  await api.login.mutate({ username: 'ada', password })
  await expect(api.login.mutate({ username: 'bob', password })).rejects.toMatchObject({ data: { kind: 'badRequest' } })
  expect((await api.me.query()).userId).toBe('ada')
  expect((await api.sendMessage.mutate({ to: 'bob', text: 'still ada' })).sender).toBe('ada')
  // The same again may be the second try of one whose answer was lost.
  expect((await api.login.mutate({ username: 'ada', password })).user.userId).toBe('ada')
})

test('[P8] a login that is refused for too many connections leaves no session behind', async () => {
  const open = new Set<string>()
  await using world = await startWorld({
    socketLimits: { socketsPerUser: 2 },
    adapt: (ports) => ({
      ...ports,
      store: {
        ...ports.store,
        async createSession(session) {
          await ports.store.createSession(session)
          open.add(session.tokenHash)
        },
        async deleteSession(tokenHash) {
          open.delete(tokenHash)
          return ports.store.deleteSession(tokenHash)
        },
      },
    }),
  })
  await world.people('ada')
  const login = () => world.plain().api.login.mutate({ username: 'ada', password })
  await login()
  expect(open.size).toBe(2)
  await expect(login()).rejects.toMatchObject({ data: { kind: 'tooManyConnections' } })
  await expect.poll(() => open.size).toBe(2)
})
