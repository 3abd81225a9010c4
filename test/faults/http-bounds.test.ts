import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { createPasswords } from '../../server/passwords.ts'
import { createTestClock } from '../harness/clock.ts'
import { startRawClient } from '../harness/raw-client.ts'
import { createRestClient } from '../harness/rest-client.ts'
import { password, startWorld, type World } from '../harness/world.ts'

const jsonOf = async (response: Response) => (await response.json()) as Record<string, unknown>

const portOf = ({ url }: World) => Number(new URL(url).port)

/** Everything that comes until the server closes, or until `enough` is among it. */
const readAll = async (socket: Socket, enough?: string): Promise<string> => {
  let text = ''
  for await (const chunk of socket) {
    text += chunk
    if (enough !== undefined && text.includes(enough)) break
  }
  return text
}

test('[P10] a page of long messages has fewer of them, and paging on still finds each', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  const long = 'x'.repeat(4_000)
  await Promise.all(Array.from({ length: 50 }, () => ada.client.sendMessage({ to: 'bob', text: long })))
  const read = async (place: object) => bob.client.history({ conversation: 'ada', limit: 100, ...place })

  const backwards: number[] = []
  for (let before: number | null | undefined; before !== null; ) {
    const page = await read(before === undefined ? {} : { before })
    expect(page.messages.length).toBeLessThanOrEqual(16)
    backwards.unshift(...page.messages.map(({ seq }) => seq))
    before = page.nextBefore
  }
  const forwards: number[] = []
  for (let after: number | null = 0; after !== null; ) {
    const page = await read({ after })
    forwards.push(...page.messages.map(({ seq }) => seq))
    after = page.nextAfter
  }
  const all = Array.from({ length: 50 }, (_, i) => i + 1)
  expect([backwards, forwards]).toEqual([all, all])

  for (const around of [1, 25, 50]) {
    const { messages, nextBefore, nextAfter } = await read({ around })
    const seqs = messages.map(({ seq }) => seq)
    expect(seqs).toContain(around)
    expect(seqs.length).toBe(16)
    expect([nextBefore, nextAfter]).toEqual([seqs[0] === 1 ? null : seqs[0], seqs.at(-1) === 50 ? null : seqs.at(-1)])
  }
})

test('[P10] the list of conversations is cut in the same way, and its cursor goes on', async () => {
  await using world = await startWorld({ config: { registrationsPerHour: 1_000 } })
  const names = Array.from({ length: 20 }, (_, i) => `friend-${i}`)
  const [ada] = await world.people('ada', ...names)
  for (const to of names) await ada.client.sendMessage({ to, text: 'x'.repeat(4_000) })
  const found: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await ada.client.conversations({ limit: 100, ...(cursor !== undefined && { cursor }) })
    expect(page.conversations.length).toBeLessThanOrEqual(16)
    found.push(...page.conversations.map(({ id }) => id))
    cursor = page.nextCursor
  }
  expect(new Set(found).size).toBe(20)
  expect(found.length).toBe(20)
})

test('[P10] one user has 100 calls over HTTP in flight: a batch counts as its calls, and the others go on', async () => {
  const held: (() => void)[] = []
  let heldMax = 0
  await using world = await startWorld({
    adapt: (ports) => ({
      ...ports,
      store: {
        ...ports.store,
        // What `me` reads: no reading of histories or lists, of which few run at once.
        async user(userId) {
          if (held.length < heldMax) await new Promise<void>((resolve) => held.push(resolve))
          return ports.store.user(userId)
        },
      },
    }),
  })
  const [ada, bob] = await world.people('ada', 'bob')
  heldMax = 100
  const headers = { authorization: `Bearer ${ada.token}` }
  const batch = () =>
    fetch(`${world.url}/trpc/${Array.from({ length: 20 }, () => 'me').join(',')}?batch=1`, { headers })
  const batches = Array.from({ length: 5 }, batch)
  await expect.poll(() => held.length).toBe(100)

  const refused = await fetch(`${world.url}/trpc/me`, { headers })
  expect(refused.status).toBe(429)
  expect(await jsonOf(refused)).toMatchObject({
    error: { json: { data: { kind: 'rateLimited', retryAfterMs: 1_000 } } },
  })
  const rest = createRestClient(world.url, ada.token)
  expect(await rest.get('/api/me')).toMatchObject({ status: 429, body: { kind: 'rateLimited' } })
  expect(await createRestClient(world.url, bob.token).get('/api/me')).toMatchObject({ status: 200 })
  expect(await ada.client.me()).toMatchObject({ userId: 'ada' })

  for (const release of held) release()
  for (const response of await Promise.all(batches)) await response.text()
  await expect.poll(async () => (await rest.get('/api/me')).status).toBe(200)
})

test('[P10] who leaves while it is looked up whose her calls and streams are has none in flight', async () => {
  let isSlow = false
  const waiting = new Set<() => void>()
  await using world = await startWorld({
    adapt: (ports) => ({
      ...ports,
      store: {
        ...ports.store,
        async session(tokenHash) {
          if (isSlow) await new Promise<void>((resolve) => waiting.add(resolve))
          return ports.store.session(tokenHash)
        },
      },
    }),
  })
  const [ada] = await world.people('ada')
  const headers = { authorization: `Bearer ${ada.token}` }
  const leave = async (path: string, count: number) => {
    const left = new AbortController()
    const asked = Array.from({ length: count }, () => fetch(`${world.url}${path}`, { headers, signal: left.signal }))
    await expect.poll(() => waiting.size).toBe(count)
    left.abort()
    await Promise.allSettled(asked)
    // The server, in this process, hears of it.
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve))
    for (const go of waiting) go()
    waiting.clear()
  }
  isSlow = true
  await leave('/trpc/me', 100)
  await leave('/trpc/onMessage', 20)
  isSlow = false
  expect((await fetch(`${world.url}/trpc/me`, { headers })).status).toBe(200)
  const stream = await fetch(`${world.url}/trpc/onMessage`, { headers })
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader()
  let text = ''
  while (!/ready|error/.test(text)) text += new TextDecoder().decode((await reader.read()).value)
  expect(text).toContain('ready')
  await reader.cancel()
})

test('[P10] a user who reads faster than 100 pages a second waits, and goes on sending', async () => {
  await using world = await startWorld({ config: { rateLimits: true }, clock: createTestClock() })
  const [ada] = await world.people('ada', 'bob')
  await using raw = await startRawClient(world.url, ada.token)
  const ask = (id: number) => JSON.stringify({ id, method: 'query', params: { path: 'onlineUsers' } })
  const frames = Array.from({ length: 300 }, (_, i) => ask(i))
  const answers = await raw.exchange(300, frames)
  const refused = answers.filter(({ error }) => error?.json.data.kind === 'rateLimited')
  expect(refused.length).toBeGreaterThanOrEqual(100)
  expect(refused.length).toBeLessThan(120)
  expect(await ada.send('bob', 'still here')).toHaveLength(1)
})

test('[P10] one network may hold 512 connections; the one beyond is cut, unless it is a trusted proxy', async () => {
  for (const trustedProxies of [[], ['127.0.0.1']]) {
    await using world = await startWorld({ config: { trustedProxies } })
    const sockets = Array.from({ length: 512 }, () => connect(portOf(world), '127.0.0.1'))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    const beyond = connect(portOf(world), '127.0.0.1')
    beyond.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    const answer = await readAll(beyond, '}').catch((error: NodeJS.ErrnoException) => error.code)
    if (trustedProxies.length > 0) expect(answer).toContain('200 OK')
    else expect(['', 'ECONNRESET']).toContain(answer)
    for (const socket of sockets) socket.destroy()
  }
})

test('a wish for HTTP/2 is passed over: the request is served in HTTP/1.1, with its body and what follows it', async () => {
  await using world = await startWorld()
  const wish = 'Host: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'
  const body = JSON.stringify({ username: 'ada', password })
  const socket = connect(portOf(world), '127.0.0.1')
  socket.write(
    `POST /api/register HTTP/1.1\r\n${wish}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
  )
  socket.write(body)
  const first = await readAll(socket.setEncoding('utf8'), '"session"')
  expect(first).toMatch(/^HTTP\/1.1 201 /)
  const other = connect(portOf(world), '127.0.0.1')
  other.write(`GET /healthz HTTP/1.1\r\n${wish}\r\n`)
  expect(String(await once(other, 'data'))).toMatch(/^HTTP\/1.1 200 OK/)
  // Not in one go: Node 26 would lose what comes along with a wish.
  other.write('GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
  expect(await readAll(other)).toMatch(/^HTTP\/1.1 200 OK.*"ready"/s)
})

test('[P7] a stream whose client says nothing else for 30 s is ended; any call of the session keeps it', async () => {
  const clock = createTestClock()
  await using world = await startWorld({ clock })
  const [ada] = await world.people('ada')
  const headers = { authorization: `Bearer ${ada.token}` }
  const response = await fetch(`${world.url}/trpc/onMessage`, { headers })
  let isOver = false
  const ended = response.text().catch(() => {
    isOver = true
  })
  const sign = async () => expect((await fetch(`${world.url}/trpc/me`, { headers })).status).toBe(200)
  for (let i = 0; i < 4; i++) {
    clock.advance(29_000)
    await sign()
  }
  expect(isOver).toBe(false)
  clock.advance(30_000)
  await ended
  expect(isOver).toBe(true)
})

test('[P10] what is refused before a procedure runs has a kind, in the shape that tRPC clients read', async () => {
  await using world = await startWorld()
  const json = { 'content-type': 'application/json' }
  const kindOf = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${world.url}${path}`, init)
    const { error } = (await response.json()) as { error: { json: { message: string; data: { kind: string } } } }
    expect(error.json.message).not.toBe('')
    return [response.status, error.json.data.kind]
  }
  const post = (body: string, headers: Record<string, string> = json) => ({ method: 'POST', headers, body })
  expect(await kindOf('/trpc/login', post('x'.repeat(70_000)))).toEqual([413, 'tooLarge'])
  const form = { 'content-type': 'multipart/form-data; boundary=x' }
  expect(await kindOf('/trpc/login', post('--x--', form))).toEqual([415, 'badRequest'])
  expect(await kindOf('/trpc/%zz')).toEqual([400, 'malformed'])
  expect(await kindOf('/trpc')).toEqual([404, 'unknownProcedure'])

  const socket = connect(portOf(world), '127.0.0.1')
  socket.write('GET /trpc/me HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n')
  expect(await readAll(socket)).toMatch(/^HTTP\/1.1 400 .*"kind":"badRequest"/s)
})

test('[P10] however many ask whether the server is ready, the store is asked once a second', async () => {
  let asked = 0
  await using world = await startWorld({
    adapt: (ports) => ({
      ...ports,
      store: {
        ...ports.store,
        ping() {
          asked++
          return ports.store.ping()
        },
      },
    }),
  })
  const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${world.url}/readyz`)))
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
  expect(asked).toBe(1)
})

test('[P10] more sign-ins than can be worked off are refused at once, with a time', async () => {
  const passwords = createPasswords({ waitingMax: 2 })
  const hashed = Array.from({ length: 5 }, () => passwords.hash(password))
  await expect(passwords.hash(password)).rejects.toMatchObject({ kind: 'rateLimited', retryAfterMs: 2_000 })
  await Promise.all(hashed)
  expect(await passwords.verify(await passwords.hash(password), password)).toBe(true)
})
