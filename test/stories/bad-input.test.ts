import { expect, test } from 'vitest'
import { createTestClock } from '../harness/clock.ts'
import { startRawClient } from '../harness/raw-client.ts'
import { password, startWorld } from '../harness/world.ts'

test('[P10] every mistake has its typed error, and everybody else talks on', async () => {
  await using world = await startWorld()
  const [ada, bob, cyd] = await world.people('ada', 'bob', 'cyd')
  const [secret] = await ada.send('bob', 'between us')
  const stranger = world.plain()

  const mistakes: [kind: string, call: () => Promise<unknown>][] = [
    ['usernameTaken', () => stranger.api.register.mutate({ username: 'ada', password })],
    ['invalidInput', () => stranger.api.register.mutate({ username: 'no spaces', password })],
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

test('an error says what does not fit, in words and by field', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  const error = await ada.client.sendMessage({ to: 'a', text: '' }).catch((error: unknown) => error)
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
  await using world = await startWorld({ config: { rateLimits: true } })
  const [ada, bob] = await world.people('ada', 'bob')
  const results = await Promise.allSettled(
    Array.from({ length: 30 }, (_, i) => ada.client.sendMessage({ to: 'bob', text: `${i}` })),
  )
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  expect(refused.length).toBeGreaterThanOrEqual(8)
  expect(refused[0]).toMatchObject({ kind: 'rateLimited', retryable: true, retryAfterMs: expect.any(Number) })
  await bob.received(30 - refused.length)

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

test('a clock that is set back locks nobody out', async () => {
  const clock = createTestClock()
  await using world = await startWorld({ config: { rateLimits: true }, clock })
  const [ada, bob] = await world.people('ada', 'bob')
  await ada.send('bob', 'before')
  clock.advance(-3_600_000)
  await ada.send('bob', 'after')
  expect(await bob.received(2)).toEqual(['before', 'after'])
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
