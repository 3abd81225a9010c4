import { performance } from 'node:perf_hooks'
import { expect, test } from 'vitest'
import type { HistoryPage, Message, OnlineUserPage, Receipt, SignedIn } from '../../server/contract/index.ts'
import { createRestClient, linkOf } from '../harness/rest-client.ts'
import { password, startWorld } from '../harness/world.ts'

/** As JSON has it: dates are strings. */
type Sent<T> = T extends Date ? string : T extends object ? { [Key in keyof T]: Sent<T[Key]> } : T
type Page = Sent<HistoryPage>

const texts = ({ body }: { body: Page }) => body.messages.map(({ text }) => text)

test('a program without TypeScript registers, sends, reads, marks as read and leaves', async () => {
  await using world = await startWorld()
  const [bob] = await world.people('bob')
  const stranger = createRestClient(world.url)
  const registered = await stranger.post<Sent<SignedIn>>('/api/register', { username: 'Ada', password })
  expect([registered.status, registered.body.user.username]).toEqual([201, 'ada'])
  expect(registered.headers.get('cache-control')).toBe('no-store')
  const { body: signedIn } = await stranger.post<Sent<SignedIn>>('/api/login', { username: 'ada', password })
  const ada = createRestClient(world.url, signedIn.session.token)
  expect((await ada.get('/api/me')).body).toMatchObject({ username: 'ada', createdAt: expect.stringMatching(/T.*Z$/) })
  expect((await ada.get<Sent<OnlineUserPage>>('/api/online-users')).body.users).toMatchObject([{ username: 'bob' }])

  const draft = { to: 'bob', text: 'Hello', clientMessageId: 'first' }
  const sent = await ada.post<Sent<Message>>('/api/messages', draft)
  expect([sent.status, await bob.received(1)]).toEqual([201, ['Hello']])
  expect((await ada.post<Sent<Message>>('/api/messages', draft)).body.id).toBe(sent.body.id)
  const answer = (await bob.send('ada', 'Hi'))[0] as Message
  const delivered = await ada.post<Sent<Receipt>[]>('/api/messages/delivered', [
    { conversationId: answer.conversationId, seq: answer.seq },
  ])
  expect(delivered.body).toMatchObject([{ username: 'ada', deliveredSeq: 2, readSeq: 0 }])
  const { body: receipt } = await ada.post<Sent<Receipt>>(`/api/messages/${encodeURIComponent(answer.id)}/read`)
  expect(receipt).toMatchObject({ username: 'ada', readSeq: 2 })
  expect((await ada.get('/api/conversations')).body).toMatchObject({
    conversations: [{ id: 'dm:ada:bob', unread: 0, lastMessage: { text: 'Hi', read: true } }],
  })

  const left = await ada.call('POST', '/api/logout', { headers: { 'content-type': 'application/json' } })
  expect([left.status, left.body]).toEqual([204, ''])
  expect((await ada.get('/api/me')).body).toMatchObject({ kind: 'sessionEnded' })
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
  for (const pair of ['sender=ada&receiver=bob', 'sender=bob&receiver=ada', 'sender=ADA&receiver=bob']) {
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
  expect(online.body).toMatchObject({ users: [{ username: 'ada' }], nextCursor: 'ada' })
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
  expect((await api.call('DELETE', '/api/me')).headers.get('allow')).toBe('GET, HEAD')
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
  const answer = await api.get('/api/me', headers)
  expect(answer.headers.get('access-control-expose-headers')).toMatch('Link')
})

test('[P10] a time that is long and almost one costs no more than to be refused', async () => {
  await using world = await startWorld()
  const api = createRestClient(world.url)
  const long = `${'T'.repeat(7_000)}${'+'.repeat(7_000)}`
  const before = performance.eventLoopUtilization()
  for (let i = 0; i < 20; i++) {
    const { status } = await api.get(`/api/messages/history?sender=ada&receiver=bob&before=${long}`)
    expect([400, 401]).toContain(status)
  }
  // The server runs in this process: a quadratic pattern kept it busy for 2 s here.
  expect(performance.eventLoopUtilization(before).active).toBeLessThan(1_000)
})
