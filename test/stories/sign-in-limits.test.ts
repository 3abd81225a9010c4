import { expect, test } from 'vitest'
import { ChatError } from '../../server/contract/index.ts'
import type { Passwords } from '../../server/domain/ports.ts'
import { createTestClock } from '../harness/clock.ts'
import { createRestClient } from '../harness/rest-client.ts'
import { password, startWorld, type World, type WorldOptions } from '../harness/world.ts'

// Limits on people who are not signed in. Everybody comes through a proxy, which says where they are.

const quarterMs = 15 * 60_000
const dayMs = 24 * 3_600_000
const home = '198.51.100.1'

const startBehindProxy = async ({ config, ...options }: WorldOptions = {}) => {
  const clock = createTestClock()
  const limits = { rateLimits: true, trustedProxies: ['127.0.0.1'] }
  return { clock, world: await startWorld({ clock, ...options, config: { ...limits, ...config } }) }
}

interface Refusal {
  kind: string
  retryAfterMs?: number
}
/** 'in', or what the refusal says. */
const ask = async (world: World, path: string, address: string, body: object): Promise<'in' | Refusal> => {
  const headers = { 'x-forwarded-for': address }
  const answer = await createRestClient(world.url).call<Refusal>('POST', path, { body, headers })
  return answer.status < 300 ? 'in' : answer.body
}
const register = (world: World, address: string, username = 'ada') =>
  ask(world, '/api/register', address, { username, password })
const login = (world: World, address: string, username = 'ada') =>
  ask(world, '/api/login', address, { username, password })
const guess = (world: World, address: string, username = 'ada') =>
  ask(world, '/api/login', address, { username, password: 'a wrong guess' })

/** So many guesses, five from each address: what one address may. */
const guesses = async (world: World, count: number, username = 'ada') => {
  const answers: Refusal[] = []
  for (let i = 0; i < count; i++)
    answers.push((await guess(world, `203.0.113.${Math.floor(i / 5)}`, username)) as Refusal)
  return answers
}
const kindsOf = (answers: ('in' | Refusal)[]) => answers.map((answer) => (answer === 'in' ? answer : answer.kind))
const badCredentials = (count: number) => Array<string>(count).fill('badCredentials')
const waits = (retryAfterMs: number) => ({ kind: 'rateLimited', retryAfterMs })

const quick = (verify: Passwords['verify']): Pick<WorldOptions, 'adapt'> => ({
  adapt: (ports) => ({ ...ports, passwords: { ...ports.passwords, hash: async () => 'hash', verify } }),
})
const isRight: Passwords['verify'] = async (_, given) => given === password

test('[P10] a guesser with many addresses has 30 guesses at a name; its owner signs in from where they did before', async () => {
  const { world, clock } = await startBehindProxy()
  await using _ = world
  expect(await register(world, home)).toBe('in')
  const answers = await guesses(world, 40)
  expect(kindsOf(answers.slice(0, 30))).toEqual(badCredentials(30))
  expect(answers.slice(30)).toMatchObject(Array(10).fill(waits(quarterMs)))
  // Not even the right one is tried from there.
  expect(await login(world, '203.0.113.200')).toMatchObject(waits(quarterMs))

  expect(await login(world, home)).toBe('in')
  await world.restart()
  await guesses(world, 40)
  expect(await login(world, home)).toBe('in')

  // The next one has to wait for its turn, and a right one leaves the turn to the next.
  clock.advance(quarterMs)
  expect(await login(world, '192.0.2.1')).toBe('in')
  expect(kindsOf([await guess(world, '192.0.2.2'), await guess(world, '192.0.2.2')])).toEqual([
    'badCredentials',
    'rateLimited',
  ])
  expect(await login(world, '192.0.2.1')).toBe('in')
})

test('[P10] who shares a network with the owner has five guesses there, and takes nothing from anybody else', async () => {
  const { world } = await startBehindProxy(quick(isRight))
  await using _ = world
  await register(world, home)
  for (let i = 0; i < 4; i++) expect(await guess(world, home)).toMatchObject({ kind: 'badCredentials' })
  expect(kindsOf(await guesses(world, 31))).toEqual([...badCredentials(30), 'rateLimited'])
  expect(kindsOf([await guess(world, home), await guess(world, home)])).toEqual(['badCredentials', 'rateLimited'])
})

test('a name that does not exist is limited in the same words, and limits no other name', async () => {
  const { world } = await startBehindProxy(quick(isRight))
  await using _ = world
  await register(world, home)
  const wrongPassword = await guesses(world, 35, 'ada')
  const wrongName = await guesses(world, 35, 'nobody')
  expect(wrongName.map(({ kind, retryAfterMs }) => [kind, retryAfterMs])).toEqual(
    wrongPassword.map(({ kind, retryAfterMs }) => [kind, retryAfterMs]),
  )
  expect(await guess(world, home, 'nobody')).toMatchObject(waits(quarterMs))
})

test('right passwords are not counted, nor is what was refused or failed before it was tried', async () => {
  let fails = false
  const { world } = await startBehindProxy(
    quick(async (hash, given) => {
      if (fails) throw new ChatError('unavailable')
      return isRight(hash, given)
    }),
  )
  await using _ = world
  await register(world, home)
  for (let i = 0; i < 40; i++) expect(await login(world, `192.0.2.${i}`)).toBe('in')
  fails = true
  for (const { kind } of await guesses(world, 40)) expect(kind).toBe('unavailable')
  fails = false
  expect(kindsOf(await guesses(world, 31))).toEqual([...badCredentials(30), 'rateLimited'])
  // A try that the name refused leaves an address its five.
  const elsewhere = '192.0.2.200'
  for (let i = 0; i < 6; i++) expect(await login(world, elsewhere)).toMatchObject(waits(quarterMs))
})

test('guesses at once, from as many addresses, are no more than guesses in turn', async () => {
  const { world } = await startBehindProxy(quick(isRight))
  await using _ = world
  await register(world, home)
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => guess(world, `203.0.113.${i}`)))
  expect(kindsOf(answers).toSorted()).toEqual([...badCredentials(30), ...Array(30).fill('rateLimited')])
})

test('a network is known for 90 days after a sign-in from there, and for no other name', async () => {
  const { world, clock } = await startBehindProxy(quick(isRight))
  await using _ = world
  await register(world, home)
  await register(world, '198.51.100.2', 'bob')
  for (let day = 0; day < 89; day++) clock.advance(dayMs)
  await guesses(world, 30)
  expect(await guess(world, home)).toMatchObject({ kind: 'badCredentials' })
  expect(await login(world, '198.51.100.2')).toMatchObject({ kind: 'rateLimited' })
  for (let day = 0; day < 2; day++) clock.advance(dayMs)
  await guesses(world, 40)
  expect(await login(world, home)).toMatchObject({ kind: 'rateLimited' })
})

test('networks that are known no more are deleted', async () => {
  const deleted: number[] = []
  const { world, clock } = await startBehindProxy({
    adapt: (ports) => ({
      ...ports,
      store: {
        ...ports.store,
        async deleteNetworksSeenBefore(before) {
          const count = await ports.store.deleteNetworksSeenBefore(before)
          deleted.push(count)
          return count
        },
      },
    }),
  })
  await using _ = world
  await register(world, home)
  for (let day = 0; day < 91; day++) clock.advance(dayMs)
  await expect.poll(() => deleted).toContain(1)
})

test('an address of IPv6 is known by its /64', async () => {
  const { world } = await startBehindProxy(quick(isRight))
  await using _ = world
  await register(world, '2001:db8:1:2:3::4')
  await guesses(world, 30)
  expect(await login(world, '2001:db8:1:2:ffff::1')).toBe('in')
  expect(await login(world, '2001:db8:1:3:3::4')).toMatchObject({ kind: 'rateLimited' })
})

const network = (i: number, site = '2001:db8:1') => `${site}:${i.toString(16)}::1`

test('[P10] a /48 of IPv6 opens four times the accounts of one address, from however many of its networks', async () => {
  const { world } = await startBehindProxy({ ...quick(isRight), config: { registrationsPerHour: 2 } })
  await using _ = world
  for (let i = 0; i < 2; i++) expect(await register(world, network(0), `first${i}`)).toBe('in')
  expect(await register(world, network(0), 'first2')).toMatchObject(waits(30 * 60_000))
  // What was refused, or is a name that is taken, leaves the /48 its share.
  expect(await register(world, network(1), 'first0')).toMatchObject({ kind: 'usernameTaken' })
  for (let i = 1; i <= 6; i++) expect(await register(world, network(i), `one${i}`)).toBe('in')
  expect(await register(world, network(7), 'one7')).toMatchObject(waits((30 * 60_000) / 4))
  expect(await register(world, network(7, '2001:db8:2'), 'two')).toBe('in')
  for (let i = 1; i <= 10; i++) expect(await register(world, `192.0.2.${i}`, `four${i}`)).toBe('in')
})

test('[P10] a /48 of IPv6 signs in 400 times at once, and leaves all others their share', async () => {
  const { world } = await startBehindProxy(quick(isRight))
  await using _ = world
  for (let i = 0; i < 400; i++)
    expect(await guess(world, network(i), `user${i}`)).toMatchObject({ kind: 'badCredentials' })
  expect(await guess(world, network(400), 'user400')).toMatchObject(waits(750))
  for (const address of [network(0, '2001:db8:2'), '192.0.2.1'])
    expect(await guess(world, address, 'user400')).toMatchObject({ kind: 'badCredentials' })
})
