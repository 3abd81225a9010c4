import { expect, test } from 'vitest'
import type {
  HistoryPage,
  Message,
  MessageVersionList,
  OnlineUserPage,
  Receipt,
  SignedIn,
} from '../../server/contract/index.ts'
import { createGuests } from '../harness/guests.ts'
import { createRestClient, linkOf } from '../harness/rest-client.ts'
import { password, startWorld } from '../harness/world.ts'

/** As JSON has it: dates are strings. */
type Sent<T> = T extends Date ? string : T extends object ? { [Key in keyof T]: Sent<T[Key]> } : T
type Page = Sent<HistoryPage>

const guests = createGuests()

const texts = ({ body }: { body: Page }) => body.messages.map(({ text }) => text)

test('a program without TypeScript registers, sends, reads, marks as read and leaves', async () => {
  await using world = await startWorld()
  const [bob] = await world.people('bob')
  const stranger = createRestClient(world.url)
  const registered = await stranger.post<Sent<SignedIn>>('/api/register', { username: 'Ada', password })
  expect([registered.status, registered.body.user.userId]).toEqual([201, 'ada'])
  expect(registered.headers.get('cache-control')).toBe('no-store')
  const { body: signedIn } = await stranger.post<Sent<SignedIn>>('/api/login', { username: 'ada', password })
  const ada = createRestClient(world.url, signedIn.session.token)
  expect((await ada.get('/api/me')).body).toMatchObject({ userId: 'ada', createdAt: expect.stringMatching(/T.*Z$/) })
  expect((await ada.get<Sent<OnlineUserPage>>('/api/online-users')).body.users).toMatchObject([{ userId: 'bob' }])

  const draft = { to: 'bob', text: 'Hello', clientMessageId: 'first' }
  const sent = await ada.post<Sent<Message>>('/api/messages', draft)
  expect([sent.status, await bob.received(1)]).toEqual([201, ['Hello']])
  expect((await ada.post<Sent<Message>>('/api/messages', draft)).body.id).toBe(sent.body.id)
  const answer = (await bob.send('ada', 'Hi'))[0] as Message
  const delivered = await ada.post<Sent<Receipt>[]>('/api/messages/delivered', [
    { conversationId: answer.conversationId, seq: answer.seq },
  ])
  expect(delivered.body).toMatchObject([{ userId: 'ada', deliveredSeq: 2, readSeq: 0 }])
  const { body: receipt } = await ada.post<Sent<Receipt>>(`/api/messages/${encodeURIComponent(answer.id)}/read`)
  expect(receipt).toMatchObject({ userId: 'ada', readSeq: 2 })
  expect((await ada.get('/api/conversations')).body).toMatchObject({
    conversations: [{ id: 'dm:ada:bob', unread: 0, lastMessage: { text: 'Hi', read: true } }],
  })

  const left = await ada.call('POST', '/api/logout', { headers: { 'content-type': 'application/json' } })
  expect([left.status, left.body]).toEqual([204, ''])
  expect((await ada.get('/api/me')).body).toMatchObject({ kind: 'sessionEnded' })
})

test('a message is edited and deleted, and its texts are read, whatever characters the ids of its people have', async () => {
  await using world = await startWorld(guests.options)
  const [ada] = await world.people('ada')
  const id = 'auth0|Zoe+x=1~@example.org'
  const zoe = createRestClient(world.url, await guests.enter(id, 'Zoë'))
  const sent = await zoe.post<Sent<Message>>('/api/messages', { to: 'ada', text: 'Helo' })
  expect(sent.body).toMatchObject({ sender: id, revision: 1, editedAt: null })
  const path = `/api/messages/${encodeURIComponent(sent.body.id)}`
  expect(path).toMatch(/%3A.*%7C.*%2B.*%3D.*%40/)

  const edited = await zoe.patch<Sent<Message>>(path, { text: 'Hello', revision: 1 })
  expect([edited.status, edited.body]).toMatchObject([
    200,
    { text: 'Hello', revision: 2, editedAt: expect.any(String) },
  ])
  const { text, revision, editedAt } = edited.body
  expect((await zoe.patch(path, { text: 'Hello', revision: 1 })).body).toMatchObject({ text, revision, editedAt })
  expect(await zoe.patch(path, { text: 'Hullo', revision: 1 })).toMatchObject({
    status: 409,
    body: { kind: 'conflict' },
  })
  const versions = await zoe.get<Sent<MessageVersionList>>(`${path}/versions`)
  expect(versions.body.versions.map(({ text }) => text)).toEqual(['Helo', 'Hello'])
  expect(versions.body.versions.map(({ since }) => since)).toEqual([sent.body.sentAt, edited.body.editedAt])

  const reader = createRestClient(world.url, ada.token)
  expect(await reader.patch(path, { text: 'Mine', revision: 2 })).toMatchObject({
    status: 403,
    body: { kind: 'notAllowed' },
  })
  expect(await reader.delete(path)).toMatchObject({ status: 403, body: { kind: 'notAllowed' } })
  const page = await reader.get<Page>(`/api/messages/history?sender=${encodeURIComponent(id)}&receiver=ada`)
  expect(page.body.messages).toMatchObject([{ text: 'Hello', revision: 2 }])
  expect(page.body.people.map(({ userId, displayName }) => [userId, displayName]).sort()).toEqual([
    ['ada', 'ada'],
    [id, 'Zoë'],
  ])

  const deleted = await zoe.delete<Sent<Message>>(path)
  expect([deleted.status, deleted.body]).toMatchObject([200, { text: '', deletedAt: expect.any(String) }])
  // Meanwhile it may have reached somebody.
  expect((await zoe.delete(path)).body).toEqual({ ...deleted.body, delivered: expect.any(Boolean) })
  expect(await zoe.patch(path, { text: 'Hello', revision: 2 })).toMatchObject({
    status: 409,
    body: { kind: 'messageDeleted' },
  })
  expect((await zoe.get(`${path}/versions`)).body).toMatchObject({ versions: [] })
  expect(texts(await reader.get<Page>(`/api/conversations/${encodeURIComponent(id)}/messages`))).toEqual([''])

  // The pages beside one are found by links that hold such an id.
  await zoe.post('/api/messages', { to: 'ada', text: 'Again' })
  const newest = await reader.get<Page>(`/api/conversations/${encodeURIComponent(id)}/messages?limit=1`)
  expect(texts(await reader.get<Page>(linkOf(newest, 'prev') ?? ''))).toEqual([''])
})

test('a name for people is shown wherever somebody is named', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  await bob.send('ada', 'Hi')
  const api = createRestClient(world.url, bob.token)
  const changed = await api.patch('/api/me', { displayName: ' Robert \u{1F99C} ' })
  const name = { userId: 'bob', displayName: 'Robert \u{1F99C}' }
  expect([changed.status, changed.body]).toMatchObject([200, name])
  expect((await api.get('/api/me')).body).toEqual(changed.body)
  const reader = createRestClient(world.url, ada.token)
  expect((await reader.get('/api/conversations')).body).toMatchObject({
    conversations: [{ members: expect.arrayContaining([expect.objectContaining(name)]) }],
  })
  expect((await reader.get('/api/online-users')).body.users).toMatchObject([{ userId: 'ada' }, name])
  expect((await reader.get('/api/conversations/bob/messages')).body.people).toContainEqual(
    expect.objectContaining(name),
  )
})

test('history between two: both directions, before a time, at most so many', async () => {
  await using world = await startWorld()
  const [ada, bob, eve] = await world.people('ada', 'bob', 'eve')
  const api = createRestClient(world.url, ada.token)
  const sent = [
    ...(await ada.send('bob', 'one')),
    ...(await bob.send('ada', 'two')),
    ...(await ada.send('bob', 'three')),
  ]
  await ada.send('eve', 'elsewhere')
  const path = '/api/messages/history'
  for (const pair of ['sender=ada&receiver=bob', 'sender=bob&receiver=ada']) {
    expect(texts(await api.get<Page>(`${path}?${pair}`))).toEqual(['one', 'two', 'three'])
  }
  expect(texts(await api.get<Page>(`${path}?sender=ada&receiver=bob&limit=2`))).toEqual(['two', 'three'])

  const [before, all] = [new Date('2020-01-01T10:00:00Z'), new Date(Date.now() + 1_000)]
  const times = ['2020-01-01T10:00:00Z', '2020-01-01T12:00:00+02:00', '2020-01-01T10:00:00.123456', '2020-01-01']
  for (const time of [...times, `${before.getTime()}`, sent[0]?.sentAt.toISOString()]) {
    expect(texts(await api.get<Page>(`${path}?sender=ada&receiver=bob&before=${time}`))).toEqual([])
  }
  for (const time of [all.toISOString(), `${all.getTime()}`]) {
    expect(texts(await api.get<Page>(`${path}?sender=ada&receiver=bob&before=${time}`))).toHaveLength(3)
  }
  // Seconds, or a `seq`, taken for a time would give an empty page that looks like the end.
  for (const time of ['1767225600', '3', '-1', 'yesterday', '2026-02-30', '99999999999999999']) {
    const { status, body } = await api.get(`${path}?sender=ada&receiver=bob&before=${time}`)
    expect([time, status, body]).toMatchObject([time, 400, { kind: 'invalidInput', issues: [{ path: 'before' }] }])
  }

  // A user id is taken as it is: in capitals it is somebody else's.
  expect((await api.get(`${path}?sender=ADA&receiver=bob`)).body).toMatchObject({ kind: 'notMember' })
  const others = createRestClient(world.url, eve.token)
  expect(await others.get(`${path}?sender=ada&receiver=bob`)).toMatchObject({
    status: 403,
    body: { kind: 'notMember' },
  })
  expect((await others.get(`${path}?sender=ada&receiver=nobody`)).body).toMatchObject({ kind: 'notMember' })
  expect((await others.get(`${path}?sender=eve&receiver=nobody`)).status).toBe(404)
  expect((await createRestClient(world.url).get(`${path}?sender=ada&receiver=bob`)).status).toBe(401)
})

test('a conversation is walked to its beginning and back by the links, without a gap', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada', 'bob')
  const all = ['1', '2', '3', '4', '5', '6', '7']
  await ada.send('bob', ...all)
  const api = createRestClient(world.url, ada.token)
  const walk = async (start: string, rel: string) => {
    const pages: string[][] = []
    for (let path: string | null = start; path !== null; ) {
      const page: Awaited<ReturnType<typeof api.get<Page>>> = await api.get<Page>(path)
      pages.push(texts(page))
      path = linkOf(page, rel)
    }
    return pages
  }
  const backwards = [['6', '7'], ['4', '5'], ['2', '3'], ['1']]
  expect(await walk('/api/messages/history?sender=ada&receiver=bob&limit=2', 'prev')).toEqual(backwards)
  expect(await walk('/api/conversations/bob/messages?limit=2', 'prev')).toEqual(backwards)
  expect((await walk('/api/conversations/dm:ada:bob/messages?limit=3&after=0', 'next')).flat()).toEqual(all)
  expect(texts(await api.get<Page>('/api/conversations/bob/messages?around=4&limit=3'))).toEqual(['3', '4', '5'])

  await ada.send('ada', 'a note')
  const first = await api.get<{ conversations: { id: string }[] }>('/api/conversations?limit=1')
  const second = await api.get<typeof first.body>(linkOf(first, 'next') ?? '')
  expect([first, second].flatMap(({ body }) => body.conversations.map(({ id }) => id))).toEqual([
    'dm:ada:ada',
    'dm:ada:bob',
  ])
  const online = await api.get<Sent<OnlineUserPage>>('/api/online-users?limit=1')
  expect(online.body).toMatchObject({ users: [{ userId: 'ada' }], nextCursor: 'ada' })
  expect(linkOf(online, 'next')).toBe('/api/online-users?limit=1&cursor=ada')
})

test('whoever asks again for what has not changed gets 304', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  // Who listens tells that it was delivered, and that is a change.
  bob.client.close()
  const api = createRestClient(world.url, ada.token)
  await ada.send('bob', 'one')
  const path = '/api/conversations/bob/messages'
  const etag = (await api.get(path)).headers.get('etag') ?? ''
  for (const known of [etag, `W/${etag}`, `"x", ${etag}`]) {
    const again = await api.get(path, { 'if-none-match': known })
    expect([again.status, again.body, again.headers.get('etag')]).toEqual([304, '', etag])
  }
  const head = await api.call('HEAD', path)
  expect([head.status, head.headers.get('etag'), head.body]).toEqual([200, etag, ''])
  await ada.send('bob', 'two')
  expect((await api.get(path, { 'if-none-match': etag })).status).toBe(200)
})

test('[P10] every refusal is a problem that says what is wrong', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  const api = createRestClient(world.url, ada.token)
  const refusals: [method: string, path: string, status: number, kind: string, body?: unknown][] = [
    ['POST', '/api/messages', 400, 'malformed', '{'],
    ['POST', '/api/messages', 400, 'malformed', '{"__proto__":{"to":"ada"}}'],
    ['POST', '/api/messages', 400, 'invalidInput'],
    ['POST', '/api/messages', 400, 'invalidInput', { to: 'ada', text: 'x', more: 1 }],
    ['POST', '/api/messages', 400, 'invalidInput', '['.repeat(30_000) + ']'.repeat(30_000)],
    ['POST', '/api/messages', 413, 'tooLarge', 'x'.repeat(70_000)],
    ['POST', '/api/messages', 404, 'unknownUser', { to: 'nobody', text: 'x' }],
    ['POST', '/api/login', 401, 'badCredentials', { username: 'ada', password: 'wrong' }],
    ['POST', '/api/register', 409, 'usernameTaken', { username: 'ada', password }],
    ['POST', '/api/register', 400, 'commonPassword', { username: 'bob', password: 'password1' }],
    ['POST', '/api/messages/dm:ada:bob:1/read', 404, 'unknownMessage'],
    ['POST', '/api/messages/x/read', 400, 'invalidInput'],
    ['GET', '/api/online-users?limit=0', 400, 'invalidInput'],
    ['GET', '/api/online-users?limit=1e2', 400, 'invalidInput'],
    ['GET', '/api/online-users?limit=', 400, 'invalidInput'],
    ['GET', '/api/online-users?limit=1&limit=2', 400, 'invalidInput'],
    ['GET', '/api/online-users?more=1', 400, 'invalidInput'],
    ['GET', '/api/online-users?__proto__=1', 400, 'invalidInput'],
    ['GET', '/api/me?more=1', 400, 'badRequest'],
    ['GET', '/api/conversations?cursor=x', 400, 'badCursor'],
    ['GET', '/api/conversations/ada/messages?before=1&after=2', 400, 'invalidInput'],
    ['GET', '/api/conversations/group:1/messages', 403, 'notMember'],
    ['GET', '/api/conversations/%E0%A4%A/messages', 400, 'malformed'],
    ['GET', `/api/conversations/${'x'.repeat(3_000)}/messages`, 414, 'badRequest'],
    ['GET', '/api/messages/history?sender=ada', 400, 'invalidInput'],
    ['PATCH', '/api/messages/dm:ada:bob:1', 404, 'unknownMessage', { text: 'x', revision: 1 }],
    ['PATCH', '/api/messages/x', 400, 'invalidInput', { text: 'x', revision: 1 }],
    ['PATCH', '/api/messages/dm:ada:bob:1', 400, 'invalidInput', { text: 'x' }],
    ['PATCH', '/api/messages/dm:ada:bob:1', 400, 'invalidInput', { text: 'x', revision: 1, messageId: 'dm:ada:bob:2' }],
    ['PATCH', '/api/messages/dm:ada:bob:1', 400, 'invalidInput'],
    ['DELETE', '/api/messages/dm:ada:bob:1', 404, 'unknownMessage'],
    ['DELETE', '/api/messages/history', 405, 'badRequest'],
    ['GET', '/api/messages/dm:ada:bob:1', 405, 'badRequest'],
    ['GET', '/api/messages/dm:ada:bob:1/versions', 404, 'unknownMessage'],
    ['PATCH', '/api/me', 400, 'invalidInput', { displayName: ' ' }],
    ['PATCH', '/api/me', 400, 'invalidInput', { displayName: 'x'.repeat(81) }],
    ['GET', '/api/messages', 405, 'badRequest'],
    ['DELETE', '/api/docs', 405, 'badRequest'],
    ['PUT', '/api/me', 405, 'badRequest', '{'],
    ['GET', '/api/nothing', 404, 'unknownProcedure'],
    ['POST', '/api', 404, 'unknownProcedure'],
  ]
  for (const [method, path, status, kind, body] of refusals) {
    const answer = await api.call(method, path, body === undefined ? {} : { body })
    expect([method, path, answer.status, answer.headers.get('content-type'), answer.body]).toMatchObject([
      method,
      path,
      status,
      'application/problem+json',
      {
        type: `/api/docs#${kind}`,
        title: expect.any(String),
        status,
        detail: expect.any(String),
        kind,
        retryable: false,
      },
    ])
  }
  expect((await api.call('DELETE', '/api/me')).headers.get('allow')).toBe('GET, PATCH, HEAD')
  expect((await api.get('/api/messages')).headers.get('allow')).toBe('POST')
  const text = await api.call('POST', '/api/messages', { body: 'x', headers: { 'content-type': 'text/csv' } })
  expect([text.status, text.headers.get('accept')]).toEqual([415, 'application/json'])
  expect(text.body.detail).toBe('Send the body as JSON, with the header content-type: application/json.')
})

test('a token that has ended or is none is 401, and does not keep anybody from signing in', async () => {
  await using world = await startWorld()
  await world.people('ada')
  const late = createRestClient(world.url, 'ended')
  const refused = await late.get('/api/me')
  expect([refused.status, refused.body.kind]).toEqual([401, 'sessionEnded'])
  expect(refused.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
  expect((await createRestClient(world.url).get('/api/me')).headers.get('www-authenticate')).toBe('Bearer')
  expect((await late.get('/api/me', { authorization: 'Basic YTpi' })).status).toBe(401)
  expect((await late.post('/api/login', { username: 'ada', password })).status).toBe(200)
})

test('limits say when to try again, in the header and in the body', async () => {
  await using world = await startWorld({ config: { rateLimits: true } })
  const api = createRestClient(world.url)
  let answer = await api.post('/api/login', { username: 'ada', password })
  for (let tries = 0; tries < 10 && answer.status === 401; tries++) {
    answer = await api.post('/api/login', { username: 'ada', password })
  }
  expect([answer.status, answer.body]).toMatchObject([429, { kind: 'rateLimited', retryable: true }])
  const seconds = Number(answer.headers.get('retry-after'))
  expect(seconds).toBe(Math.ceil(Number(answer.body.retryAfterMs) / 1000))
  expect(seconds).toBeGreaterThan(0)
})

test('what fails inside is a problem too, and tells nothing of the inside', async () => {
  await using world = await startWorld({
    adapt: (ports) => ({
      ...ports,
      store: { ...ports.store, conversations: () => Promise.reject(new Error('secret of the store')) },
    }),
  })
  const [ada] = await world.people('ada')
  const { status, body } = await createRestClient(world.url, ada.token).get('/api/conversations')
  expect([status, body]).toMatchObject([500, { kind: 'internal', retryable: true }])
  expect(JSON.stringify(body)).not.toMatch('secret')
})

test('a page of an allowed origin may call and read the headers', async () => {
  await using world = await startWorld({ config: { allowedOrigins: ['https://chat.example.org'] } })
  const api = createRestClient(world.url)
  const headers = { origin: 'https://chat.example.org', 'access-control-request-method': 'POST' }
  const asked = await api.call('OPTIONS', '/api/messages', {
    headers: { ...headers, 'access-control-request-headers': 'authorization,content-type' },
  })
  expect([asked.status, asked.headers.get('access-control-allow-headers')]).toEqual([204, 'authorization,content-type'])
  for (const method of ['PATCH', 'DELETE'])
    expect(asked.headers.get('access-control-allow-methods')?.split(', ')).toContain(method)
  const answer = await api.get('/api/me', headers)
  expect(answer.headers.get('access-control-expose-headers')).toMatch('Link')
})

test('[P10] a time that is long and almost one costs no more than to be refused', async () => {
  await using world = await startWorld()
  const api = createRestClient(world.url)
  const long = `${'T'.repeat(7_000)}${'+'.repeat(7_000)}`
  const before = process.cpuUsage()
  for (let i = 0; i < 20; i++) {
    const { status } = await api.get(`/api/messages/history?sender=ada&receiver=bob&before=${long}`)
    expect([400, 401]).toContain(status)
  }
  // The server runs in this process: a quadratic pattern kept it busy for 2 s here. Counted is what it worked, and not how
  // long it waited for a processor.
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1_000).toBeLessThan(1_000)
})
