import { once } from 'node:events'
import { connect } from 'node:net'
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink, TRPCClientError } from '@trpc/client'
import { EventSource } from 'eventsource'
import superjson from 'superjson'
import { expect, test } from 'vitest'
import type { ChatEvent } from '../../server/contract/index.ts'
import type { ParleyRouter } from '../../server/trpc/client-router.ts'
import { createInbox, isMessage } from '../harness/plain-client.ts'
import { startWorld } from '../harness/world.ts'

const connectHttp = (url: string, token: string) => {
  const headers = { authorization: `Bearer ${token}` }
  return createTRPCClient<ParleyRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === 'subscription',
        true: httpSubscriptionLink({
          url: `${url}/trpc`,
          transformer: superjson,
          EventSource,
          eventSourceOptions: async () => ({
            fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }),
          }),
        }),
        false: httpBatchLink({ url: `${url}/trpc`, transformer: superjson, headers }),
      }),
    ],
  })
}

test('where WebSockets are blocked, batched HTTP calls and SSE do the same', async () => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  bob.client.close()
  const api = connectHttp(world.url, bob.token)
  const [me, online] = await Promise.all([api.me.query(), api.onlineUsers.query()])
  expect(me.createdAt).toBeInstanceOf(Date)
  expect(online.users.map(({ userId }) => userId)).toContain('ada')

  const inbox = createInbox<ChatEvent>()
  const subscription = api.onMessage.subscribe(undefined, {
    onData: ({ data }) => inbox.add(data),
    onError: inbox.fail,
  })
  await inbox.until(() => inbox.items.length > 0)
  await ada.send('bob', 'over SSE')
  const [event] = await inbox.some(1, isMessage)
  expect(event?.message.text).toBe('over SSE')
  await api.sendMessage.mutate({ to: 'ada', text: 'over HTTP' })
  expect(await ada.received(1)).toEqual(['over HTTP'])
  subscription.unsubscribe()
})

test('[P8] the stream of a session that was ended is ended', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  const response = await fetch(`${world.url}/trpc/onMessage`, { headers: { authorization: `Bearer ${ada.token}` } })
  expect(response.headers.get('content-type')).toMatch('text/event-stream')
  const ended = response.text().then(
    () => 'ended',
    () => 'cut',
  )
  await ada.client.logout()
  expect(await ended).toBe('cut')
})

test('[P10] one user may have 20 streams open; another one is refused until one of them ends', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  const open = async () => {
    const response = await fetch(`${world.url}/trpc/onStatus`, { headers: { authorization: `Bearer ${ada.token}` } })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    while (!/snapshot|tooManyConnections/.test(text)) text += new TextDecoder().decode((await reader.read()).value)
    return { isRefused: text.includes('tooManyConnections'), close: () => reader.cancel() }
  }
  const streams = await Promise.all(Array.from({ length: 20 }, open))
  expect(streams.some(({ isRefused }) => isRefused)).toBe(false)
  expect((await open()).isRefused).toBe(true)
  await streams[0]?.close()
  await expect.poll(async () => (await open()).isRefused).toBe(false)
  for (const { close } of streams.slice(1)) await close()
})

test('errors over HTTP carry the status and the kind', async () => {
  await using world = await startWorld()
  const [ada] = await world.people('ada')
  const api = connectHttp(world.url, ada.token)
  const error = await api.history.query({ conversation: 'nobody' }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(TRPCClientError)
  expect(error).toMatchObject({ data: { kind: 'unknownUser', httpStatus: 404 } })

  const answer = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${world.url}${path}`, init)
    const body = await response.text()
    return [response.status, body] as const
  }
  const json = { 'content-type': 'application/json' }
  const [tooMany] = await answer(`/trpc/${Array.from({ length: 21 }, () => 'me').join(',')}?batch=1`)
  expect(tooMany).toBe(400)
  expect(await answer('/trpc/me')).toMatchObject([401, expect.stringContaining('notSignedIn')])
  expect(await answer('/trpc/me', { headers: { authorization: 'Bearer x' } })).toMatchObject([
    401,
    expect.stringContaining('sessionEnded'),
  ])
  expect(await answer('/trpc/login', { method: 'POST', headers: json, body: '{' })).toMatchObject([
    400,
    expect.stringContaining('malformed'),
  ])
  expect((await answer('/trpc/login', { method: 'POST', headers: json, body: 'x'.repeat(70_000) }))[0]).toBe(413)
  expect(await answer('/nothing/here')).toMatchObject([404, expect.stringContaining('nothing at GET /nothing/here')])
})

test('a server that stops ends its streams one by one, takes no others, and serves the calls that come', async () => {
  let answer = () => {}
  const held = new Promise<void>((resolve) => {
    answer = resolve
  })
  await using world = await startWorld({
    adapt: (ports) => ({
      ...ports,
      store: { ...ports.store, conversations: (...asked) => held.then(() => ports.store.conversations(...asked)) },
    }),
  })
  const [ada] = await world.people('ada')
  const headers = { authorization: `Bearer ${ada.token}`, 'content-type': 'application/json' }
  const follow = () => fetch(`${world.url}/trpc/onStatus`, { method: 'POST', headers, body: '{"json":{"users":[]}}' })
  const ends: number[] = []
  for (const stream of [await follow(), await follow(), await follow()]) {
    stream.text().catch(() => ends.push(performance.now()))
  }
  const answered = async () => (await fetch(`${world.url}/trpc/me`, { method: 'HEAD' })).status
  expect(await answered()).toBe(204)

  // It ends when the last call has been answered.
  const last = ada.client.conversations()
  await ada.client.me()
  const drained = world.app.drain(30_000)
  expect(await answered()).toBe(503)
  expect(await (await follow()).text()).toContain('"kind":"unavailable"')
  expect((await fetch(`${world.url}/trpc/me`, { headers })).status).toBe(200)
  answer()
  expect(await last).toMatchObject({ conversations: [] })
  await drained
  expect(ends.length).toBe(3)
})

test('[P10] a form, which no procedure takes, is refused before it is read', async () => {
  await using world = await startWorld()
  const { hostname, port } = new URL(world.url)
  const stranger = connect(Number(port), hostname)
  const head = 'POST /trpc/register HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n'
  stranger.write(`${head}Content-Length: 1000000000\r\n\r\n--x\r\n`)
  const [answer] = await once(stranger, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1.1 415 /)
  stranger.destroy()
})

test('health: alive and ready', async () => {
  await using world = await startWorld()
  expect(await (await fetch(`${world.url}/healthz`)).json()).toEqual({ status: 'ok' })
  expect(await (await fetch(`${world.url}/readyz`)).json()).toEqual({ status: 'ready' })
})

test('not ready: readyz says why, while the process is alive', async () => {
  await using world = await startWorld({
    adapt: (ports) => ({ ...ports, store: { ...ports.store, ping: () => Promise.reject(new Error('gone')) } }),
  })
  const response = await fetch(`${world.url}/readyz`)
  expect([response.status, await response.json()]).toEqual([
    503,
    { status: 'not ready', reason: 'The store cannot be reached.' },
  ])
  expect((await fetch(`${world.url}/healthz`)).status).toBe(200)
})

test('pages of other origins are refused unless they are on the list', async () => {
  await using world = await startWorld({ config: { allowedOrigins: ['https://chat.example.org'] } })
  const upgrade = async (origin?: string) => {
    const { WebSocket } = await import('ws')
    const socket = new WebSocket(`${world.url.replace('http', 'ws')}/trpc`, origin === undefined ? {} : { origin })
    return new Promise<string>((resolve) => {
      socket.once('open', () => {
        socket.terminate()
        resolve('open')
      })
      socket.once('error', ({ message }) => resolve(message))
    })
  }
  expect(await upgrade()).toBe('open')
  expect(await upgrade('https://chat.example.org')).toBe('open')
  expect(await upgrade(world.url)).toBe('open')
  expect(await upgrade('https://evil.example')).toMatch('403')
  expect(await upgrade('null')).toMatch('403')

  const corsOf = async (origin: string) =>
    (await fetch(`${world.url}/healthz`, { headers: { origin } })).headers.get('access-control-allow-origin')
  expect(await corsOf('https://chat.example.org')).toBe('https://chat.example.org')
  expect(await corsOf('https://evil.example')).toBeNull()
})
