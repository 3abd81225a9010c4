import { expect, test } from 'vitest'
import type { ErrorKind, OnMessage } from '../../server/contract/index.ts'
import { perDay } from '../../server/domain/rates.ts'
import { createTestClock } from '../harness/clock.ts'
import { startRawClient } from '../harness/raw-client.ts'
import { createRestClient } from '../harness/rest-client.ts'
import { password, startWorld, type World } from '../harness/world.ts'

/** What comes of a call that should fail, over tRPC or the SDK. */
const kindOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (value) => `no error, but ${JSON.stringify(value)}`,
    (error) => error.kind ?? error.data?.kind ?? error,
  )

test('[P10] every mistake has its typed error, and everybody else talks on', async () => {
  await using world = await startWorld()
  const [ada, bob, cyd] = await world.people('ada', 'bob', 'cyd')
  const [secret] = await ada.send('bob', 'between us')
  const stranger = world.plain()

  const mistakes: [kind: string, call: () => Promise<unknown>][] = [
    ['usernameTaken', () => stranger.api.register.mutate({ username: 'ada', password })],
    ['invalidInput', () => stranger.api.register.mutate({ username: 'no spaces', password })],
    ['invalidInput', () => stranger.api.register.mutate({ username: 'ada|bob', password })],
    ['invalidInput', () => world.plain(cyd.token).api.updateProfile.mutate({ displayName: ' ' })],
    ['invalidInput', () => world.plain(cyd.token).api.updateProfile.mutate({ displayName: 'x'.repeat(81) })],
    ['invalidInput', () => stranger.api.register.mutate({ username: 'dan', password: 'short' })],
    ['commonPassword', () => stranger.api.register.mutate({ username: 'dan', password: 'Password1' })],
    ['badCredentials', () => stranger.api.login.mutate({ username: 'ada', password: 'wrong' })],
    ['badCredentials', () => stranger.api.login.mutate({ username: 'nobody', password })],
    ['notSignedIn', () => stranger.api.sendMessage.mutate({ to: 'ada', text: 'hi' })],
    ['unknownUser', () => cyd.client.sendMessage({ to: 'nobody', text: 'hi' })],
    ['unknownUser', () => cyd.client.history({ conversation: 'nobody' })],
    ['invalidInput', () => cyd.client.sendMessage({ to: 'ada', text: 'x'.repeat(4_001) })],
    ['invalidInput', () => cyd.client.sendMessage({ to: 'ada', text: '  ' })],
    ['invalidInput', () => cyd.client.sendMessage({ to: 'ada', text: 'half a pair: \ud83d' })],
    ['invalidInput', () => cyd.client.sendMessage({ to: 'dm:bob:ada', text: 'names out of order' })],
    ['invalidInput', () => cyd.client.history({ conversation: 'ada', limit: 101 })],
    ['invalidInput', () => cyd.client.history({ conversation: 'ada', before: 2, after: 1 })],
    ['invalidInput', () => cyd.client.markRead({ messageId: 'not an id' })],
    ['badCursor', () => cyd.client.conversations({ cursor: 'mine' })],
    // [P9] Cyd is not in it, so to her it is as if it were not there.
    ['notMember', () => cyd.client.sendMessage({ to: 'dm:ada:bob', text: 'let me in' })],
    ['notMember', () => cyd.client.history({ conversation: 'dm:ada:bob' })],
    ['notMember', () => cyd.client.sendMessage({ to: 'group:1', text: 'let me in' })],
    ['unknownMessage', () => cyd.client.markRead({ messageId: secret?.id ?? '' })],
    ['unknownMessage', () => cyd.client.markRead({ messageId: 'dm:ada:cyd:1' })],
    ['unknownMessage', () => cyd.client.markDelivered([{ conversationId: 'dm:ada:bob', seq: 1 }])],
  ]
  for (const [kind, call] of mistakes) {
    const error = await call().then(
      (value) => expect.fail(`no error, but ${JSON.stringify(value)} where ${kind} was expected`),
      (error) => error,
    )
    expect(error.kind ?? error.data?.kind, error.message).toBe(kind)
  }
  await ada.send('bob', 'still here')
  expect(await bob.received(2)).toEqual(['between us', 'still here'])
})

/** The same mistakes by every door: tRPC, and REST with the status that belongs to the kind. */
const edits = (world: World, token: string) => {
  const { api } = world.plain(token)
  const rest = createRestClient(world.url, token)
  const pathOf = (messageId: string) => `/api/messages/${encodeURIComponent(messageId)}`
  const asRest = async (call: Promise<{ status: number; body: unknown }>) => {
    const { status, body } = await call
    return [status, (body as { kind?: string }).kind]
  }
  return {
    edit: async (messageId: string, text: string, revision: number) => [
      await kindOf(api.editMessage.mutate({ messageId, text, revision })),
      ...(await asRest(rest.patch(pathOf(messageId), { text, revision }))),
    ],
    delete: async (messageId: string) => [
      await kindOf(api.deleteMessage.mutate({ messageId })),
      ...(await asRest(rest.delete(pathOf(messageId)))),
    ],
    versions: async (messageId: string) => [
      await kindOf(api.messageVersions.query({ messageId })),
      ...(await asRest(rest.get(`${pathOf(messageId)}/versions`))),
    ],
  }
}

test('[P9] a message is changed by its sender alone, on what it says now, and by no stranger', async () => {
  await using world = await startWorld()
  const [ada, bob, cyd] = await world.people('ada', 'bob', 'cyd')
  const [{ id } = { id: '' }] = await ada.send('bob', 'as it was sent')
  const as = (person: { token: string }) => edits(world, person.token)
  const refused = (kind: ErrorKind, status: number) => [kind, status, kind]

  expect(await as(bob).edit(id, 'as Bob would have it', 1)).toEqual(refused('notAllowed', 403))
  expect(await as(bob).delete(id)).toEqual(refused('notAllowed', 403))
  // Whoever is not in the conversation learns the same of a message that is there and of one that is not.
  for (const messageId of [id, 'dm:ada:bob:2', 'dm:ada:nobody:1', 'group:none:1']) {
    expect(await as(cyd).edit(messageId, 'let me in', 1)).toEqual(refused('unknownMessage', 404))
    expect(await as(cyd).delete(messageId)).toEqual(refused('unknownMessage', 404))
    expect(await as(cyd).versions(messageId)).toEqual(refused('unknownMessage', 404))
  }
  for (const [messageId, text, revision] of [
    [id, '', 1],
    [id, ' \n ', 1],
    [id, 'x'.repeat(4_001), 1],
    [id, 'half a pair: \ud83d', 1],
    [id, 'on no revision', 0],
    [id, 'on half a one', 1.5],
    ['', 'of no message', 1],
    ['dm:ada:bob', 'of a whole conversation', 1],
    ['dm:ada:bob:0', 'before the first', 1],
  ] as const) {
    const found = await as(ada).edit(messageId, text, revision)
    expect([messageId, text, ...found]).toEqual([messageId, text, ...refused('invalidInput', 400)])
  }

  await world.plain(ada.token).api.editMessage.mutate({ messageId: id, text: 'as it was edited', revision: 1 })
  for (const revision of [1, 3]) expect(await as(ada).edit(id, 'too late', revision)).toEqual(refused('conflict', 409))
  await world.plain(ada.token).api.deleteMessage.mutate({ messageId: id })
  expect(await as(ada).edit(id, 'risen', 2)).toEqual(refused('messageDeleted', 409))
  expect(await as(bob).edit(id, 'risen', 2)).toEqual(refused('notAllowed', 403))
  expect((await ada.client.history({ conversation: 'bob' })).messages).toMatchObject([{ text: '', revision: 2 }])
})

test('past its window a message is not edited any more, and can still be deleted', async () => {
  const clock = createTestClock()
  await using world = await startWorld({ config: { editWindowMinutes: 15 }, clock })
  const [ada] = await world.people('ada', 'bob')
  const [{ id } = { id: '' }] = await ada.send('bob', 'now')
  const { api } = world.plain(ada.token)
  clock.advance(15 * 60_000)
  expect(await api.editMessage.mutate({ messageId: id, text: 'in time', revision: 1 })).toMatchObject({ revision: 2 })
  clock.advance(1)
  expect(await edits(world, ada.token).edit(id, 'too late', 2)).toEqual(['editWindowOver', 403, 'editWindowOver'])
  expect(await api.deleteMessage.mutate({ messageId: id })).toMatchObject({ text: '' })
})

test('[P5] a cursor that is none, or lies beyond the store, is refused: to go on behind it would omit what comes', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  const { api } = world.plain(ada.token)
  const follow = (lastEventId: string) =>
    kindOf(
      new Promise((resolve, reject) => {
        const input: OnMessage = { lastEventId, ack: 'server' }
        api.onMessage.subscribe(input, { onData: ({ data }) => resolve(data), onError: reject })
      }),
    )
  for (const cursor of ['', 'mine', 'v', 'v-1', 'v1.5', 'v1e3', 'u1.', 'v9007199254740991', 'u1.9007199254740991']) {
    expect([cursor, await follow(cursor)]).toEqual([cursor, 'badCursor'])
  }
  expect(await follow(`v${'9'.repeat(64)}`)).toBe('invalidInput')
  const rest = createRestClient(world.url, ada.token)
  for (const cursor of ['mine', '1.5', '-', 'v1', '1e3']) {
    expect(await kindOf(api.conversations.query({ cursor, limit: 1 }))).toBe('badCursor')
    expect(await rest.get(`/api/conversations?cursor=${cursor}`)).toMatchObject({
      status: 400,
      body: { kind: 'badCursor' },
    })
  }
})

test('an id that is none is refused wherever one may stand, and no id of 64 characters is', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  const { api } = world.plain(ada.token)
  const rest = createRestClient(world.url, ada.token)
  const wrong = ['', 'x'.repeat(65), 'ada:bob', ':', 'with space', 'ünïcode', 'half\ud83d', 'dm:ada', 'dm:ada:bob:1']
  for (const id of wrong) {
    const encoded = encodeURIComponent(id.toWellFormed())
    const calls = [
      kindOf(api.sendMessage.mutate({ to: id, text: 'hi' })),
      kindOf(api.history.query({ conversation: id, limit: 1 })),
      kindOf(api.onlineUsers.query({ cursor: id, limit: 1 })),
      kindOf(api.markDelivered.mutate([{ conversationId: `dm:ada:${id}`, seq: 1 }])),
      kindOf(api.editMessage.mutate({ messageId: `dm:ada:${id}:1`, text: 'hi', revision: 1 })),
      rest.post('/api/messages', { to: id, text: 'hi' }).then(({ body }) => body.kind),
      rest.get(`/api/messages/history?sender=ada&receiver=${encoded}`).then(({ body }) => body.kind),
      rest.get(`/api/conversations/${encoded}/messages`).then(({ body }) => body.kind),
    ]
    expect([id, ...(await Promise.all(calls))]).toEqual([id, ...calls.map(() => 'invalidInput')])
  }
  for (const id of ['x'.repeat(64), 'a', 'A|b+c=d~e@f.g-h_i']) {
    expect(await kindOf(api.sendMessage.mutate({ to: id, text: 'hi' }))).toBe('unknownUser')
    const answer = await rest.get(`/api/messages/history?sender=${encodeURIComponent(id)}&receiver=ada`)
    expect([answer.status, answer.body.kind]).toEqual([404, 'unknownUser'])
  }
})

test('an error says what does not fit, in words and by field', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  const error = await ada.client.sendMessage({ to: 'a b', text: '' }).catch((error: unknown) => error)
  expect(error).toMatchObject({ kind: 'invalidInput', retryable: false })
  expect((error as { issues: { path: string }[] }).issues.map(({ path }) => path)).toEqual(['to', 'text'])

  const { api } = world.plain(ada.token)
  const wordsFor = (call: Promise<unknown>) => call.then(String, (error: Error) => error.message)
  const of = (input: object) => input as never
  expect(await wordsFor(api.history.query({ conversation: 'bob', limit: 101 }))).toBe('limit: at most 100')
  expect(await wordsFor(api.sendMessage.mutate(of({ to: 'bob' })))).toBe('text: is missing')
  expect(await wordsFor(api.history.query(of({ conversation: 'bob', limit: 'x', befor: 1 })))).toBe(
    'limit: takes a number; unknown: befor',
  )
  expect(await wordsFor(api.markDelivered.mutate([]))).toBe('must not be empty')
  expect(await wordsFor(api.register.mutate({ username: 'dan', password: 'short' }))).toBe(
    'password: at least 8 characters',
  )
  expect(await wordsFor(api.sendMessage.mutate(of({ to: 'bob', text: 7 })))).toBe('text: takes text')
})

test('[P10] unknown procedures, malformed frames and wrong shapes are answered, each by itself', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  await using raw = await startRawClient(world.url, ada.token)
  const answers = await raw.exchange(7, [
    '{"id":1,"method":"query","params":{"path":"noSuchThing"}}',
    'this is not JSON',
    '{"id":2,"method":"query","params":{"path":"__proto__"}}',
    '[{"id":3,"method":"query","params":{"path":"me"}},{"id":4,"method":"nonsense"},7]',
    '{"id":5,"method":"mutation","params":{"path":"sendMessage","input":{"json":{"to":7,"text":{}}}}}',
  ])
  const kindOf = (id: number | null) =>
    answers.filter((answer) => answer.id === id).map((answer) => answer.error?.json.data.kind ?? 'answered')
  expect(kindOf(1)).toEqual(['unknownProcedure'])
  expect(kindOf(2)).toEqual(['unknownProcedure'])
  expect(kindOf(3)).toEqual(['answered'])
  expect(kindOf(4)).toEqual(['malformed'])
  expect(kindOf(5)).toEqual(['invalidInput'])
  expect(kindOf(null)).toEqual(['malformed', 'malformed'])
  await ada.send('bob', 'fine')
  expect(await bob.received(1)).toEqual(['fine'])
})

test('limits on sending, registering and logging in say when to come back', async () => {
  await using world = await startWorld({ config: { rateLimits: true }, clock: createTestClock() })
  const [ada, bob] = await world.people('ada', 'bob')
  const results = await Promise.allSettled(
    Array.from({ length: 30 }, (_, i) => ada.client.sendMessage({ to: 'bob', text: `${i}` })),
  )
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  expect(refused).toHaveLength(10)
  expect(refused[0]).toMatchObject({ kind: 'rateLimited', retryable: true, retryAfterMs: expect.any(Number) })
  await bob.received(20)

  const { api } = world.plain()
  for (let i = 0; i < 5; i++) await api.login.mutate({ username: 'ada', password: `guess ${i}` }).catch(() => {})
  await expect(api.login.mutate({ username: 'ada', password })).rejects.toMatchObject({
    data: { kind: 'rateLimited', httpStatus: 429 },
  })
  // Names that are taken are not counted.
  for (let i = 0; i < 30; i++)
    await expect(api.register.mutate({ username: 'ada', password })).rejects.toMatchObject({
      data: { kind: 'usernameTaken' },
    })
  for (let i = 2; i < 20; i++) await api.register.mutate({ username: `user${i}`, password })
  await expect(api.register.mutate({ username: 'fay', password })).rejects.toMatchObject({
    data: { kind: 'rateLimited', retryAfterMs: expect.any(Number) },
  })
})

test('[P10] one user stores no more than her share of a day, and is told what is left of it', async () => {
  const clock = createTestClock()
  const storage = perDay(10_000)
  await using world = await startWorld({
    config: { rateLimits: true },
    clock,
    adapt: (ports) => ({ ...ports, rules: { ...ports.rules, storage } }),
  })
  const [ada, bob] = await world.people('ada', 'bob')
  const text = 'ü'.repeat(1_400)
  const [first] = await ada.send('bob', text, text, text)
  for (const write of [
    () => ada.client.sendMessage({ to: 'bob', text }),
    () => ada.client.editMessage({ messageId: first?.id ?? '', revision: 1, text: `${text}!` }),
  ]) {
    await expect(write()).rejects.toMatchObject({
      kind: 'rateLimited',
      retryable: true,
      retryAfterMs: expect.any(Number),
      message: expect.stringMatching(
        /^Of the 10000 bytes that one user may store within a day 832 are left; this takes 305[67]\.$/,
      ),
    })
  }
  // What is shorter still fits, others have shares of their own, and hers comes back.
  await ada.send('bob', 'in short')
  await bob.send('ada', text)
  clock.advance(12 * 3_600_000)
  await ada.send('bob', text)
  expect(await bob.received(5)).toEqual([text, text, text, 'in short', text])
})

test('a clock that is set back locks nobody out', async () => {
  const clock = createTestClock()
  await using world = await startWorld({ config: { rateLimits: true }, clock })
  const [ada, bob] = await world.people('ada', 'bob')
  await ada.send('bob', 'before')
  clock.advance(-3_600_000)
  await ada.send('bob', 'after')
  expect(await bob.received(2)).toEqual(['before', 'after'])
})

test('[P10] who guesses at one name uses up nothing of her address: others there can log in', async () => {
  await using world = await startWorld({ config: { rateLimits: true } })
  await world.people('ada', 'bob')
  const { api } = world.plain()
  const guess = () =>
    api.login
      .mutate({ username: 'ada', password: 'a guess' })
      .catch((error: { data: { kind: string } }) => error.data.kind)
  const kinds: unknown[] = []
  for (let i = 0; i < 150; i++) kinds.push(await guess())
  expect(kinds.filter((kind) => kind === 'badCredentials')).toHaveLength(5)
  expect(kinds.filter((kind) => kind === 'rateLimited')).toHaveLength(145)
  expect((await api.login.mutate({ username: 'bob', password })).user.userId).toBe('bob')
})

test('[P10] who guesses names as well as passwords is held back, so that others can log in', async () => {
  const clock = createTestClock()
  await using world = await startWorld({ config: { rateLimits: true }, clock })
  const { api } = world.plain()
  const guess = (name: string) =>
    api.login.mutate({ username: name, password }).catch((error: { data: { kind: string } }) => error.data.kind)
  for (let round = 0; round < 5; round++) {
    const kinds = await Promise.all(Array.from({ length: 20 }, (_, i) => guess(`guess${round}.${i}`)))
    expect(kinds).toEqual(kinds.map(() => 'badCredentials'))
  }
  expect(await guess('one.more')).toBe('rateLimited')
  clock.advance(3_000)
  expect(await guess('once.more')).toBe('badCredentials')
})
