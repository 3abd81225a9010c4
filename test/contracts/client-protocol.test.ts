import { createTRPCClient, createWSClient, TRPCClientError, wsLink } from '@trpc/client'
import { TRPCError } from '@trpc/server'
import superjson from 'superjson'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  plainJson,
  type Running,
  type RunningSocket,
  request,
  startSocket,
  startStock,
  Wire,
  type WireRouter,
} from '../harness/wire.ts'

/** Sends frames to a server, and returns the first `count` answers, provided that no more come. */
async function exchange(url: string, frames: unknown[], count: number) {
  using wire = await Wire.open(url)
  for (const frame of frames) wire.send(frame)
  await wire.frames(count)
  wire.send(request('end', 'query', 'nothing', {}))
  const received = await wire.until((all) => all.some((frame) => typeof frame === 'object' && frame.id === 'end'))
  return received.filter((frame) => typeof frame !== 'object' || frame.id !== 'end')
}

describe('[wire] the same frames in, the same frames out as the stock adapter', () => {
  const servers: Record<'superjson' | 'plain', { ours: RunningSocket; stock: Running }> = {} as never
  beforeAll(async () => {
    servers.superjson = { ours: await startSocket(), stock: await startStock() }
    servers.plain = { ours: await startSocket({ transformer: plainJson }), stock: await startStock(plainJson) }
  })
  afterAll(async () => {
    for (const { ours, stock } of Object.values(servers)) {
      await ours[Symbol.asyncDispose]()
      await stock[Symbol.asyncDispose]()
    }
  })

  const plain = (id: unknown, method: string, path: string, input?: unknown) => ({
    id,
    method,
    params: { path, input },
  })

  const both = (
    name: string,
    frames: (call: (...request: [unknown, string, string, unknown?]) => { params: object }) => unknown[],
    count: number,
  ) =>
    test(name, async () => {
      for (const [kind, { ours, stock }] of Object.entries(servers)) {
        const sent = frames(kind === 'plain' ? plain : request)
        expect(await exchange(ours.url, sent, count), kind).toEqual(await exchange(stock.url, sent, count))
      }
    })

  both('a query', (call) => [call(1, 'query', 'echo', { a: [1, null, 'ü€😀'] })], 1)
  both('a mutation, and a string as id', (call) => [call('é"1', 'mutation', 'save', { a: 1 })], 1)
  both('a procedure that returns nothing', (call) => [call(1, 'query', 'nothing', {})], 1)
  both('jsonrpc is repeated', (call) => [{ ...call(1, 'query', 'echo', 1), jsonrpc: '2.0' }], 1)
  both('an error of a procedure', (call) => [call(1, 'mutation', 'refuse', {})], 1)
  both('an unknown procedure', (call) => [call(1, 'query', 'a.b', {})], 1)
  both(
    'names of Object.prototype are no procedures',
    (call) => [
      ...['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((path) => call(path, 'query', path, {})),
    ],
    4,
  )
  both('the wrong kind of procedure', (call) => [call(1, 'mutation', 'echo', {})], 1)
  both('a query that returns a stream', (call) => [call(1, 'query', 'stream', {})], 1)
  both('a result that cannot be written', (call) => [call(1, 'query', 'unserialisable', {})], 1)
  both('a batch', (call) => [[call(1, 'query', 'echo', 1), call(2, 'query', 'echo', 2)]], 2)
  both('an empty batch, PING and PONG', () => ['[]', 'PONG', 'PING'], 1)
  both('text that is no JSON', () => ['{', 'PING'], 2)
  both('JSON that is no message', () => ['5', 'null', '"PING"', '{}', '{"id":true}', '[[]]'], 6)
  both('an id of null', (call) => [call(null, 'query', 'echo', 1)], 1)
  both('a tracked subscription', (call) => [call(1, 'subscription', 'numbers', { to: 3 })], 5)
  both(
    'lastEventId joins the input',
    (call) => [
      { id: 1, method: 'subscription', params: { ...call(1, '', 'numbers', { to: 5 }).params, lastEventId: '3' } },
    ],
    4,
  )
  both(
    'lastEventId with an input that is no object',
    (call) => [
      { id: 1, method: 'query', params: { ...call(1, '', 'echo', [1]).params, lastEventId: '3' } },
      { id: 2, method: 'query', params: { ...call(1, '', 'echo', null).params, lastEventId: '3' } },
    ],
    2,
  )
  both('untracked events', (call) => [call(1, 'subscription', 'untracked', {})], 5)
  both('an observable', (call) => [call(1, 'subscription', 'pushed', {})], 4)
  both('an observable that fails', (call) => [call(1, 'subscription', 'pushedError', {})], 2)
  both('a stream that throws', (call) => [call(1, 'subscription', 'broken', {})], 3)
  both('a subscription that is no stream', (call) => [call(1, 'subscription', 'noStream', {})], 1)
  both('a subscription that is refused', (call) => [call(1, 'subscription', 'refusedStream', {})], 1)
  both(
    'a stop, and the id is free again',
    (call) => [
      call(1, 'subscription', 'idle', {}),
      { id: 1, method: 'subscription.stop' },
      { id: 7, method: 'subscription.stop' },
    ],
    1,
  )
  both(
    'a second subscription under the same id',
    (call) => [call(1, 'subscription', 'idle', {}), call(1, 'subscription', 'idle', {})],
    2,
  )
  both(
    '__proto__ in an input',
    () => ['{"id":1,"method":"query","params":{"path":"echo","input":{"json":{"a":1}},"__proto__":{"path":"x"}}}'],
    1,
  )
})

describe('[wire] where the stock adapter fails', () => {
  test('a call without input works with superjson', async () => {
    await using server = await startSocket()
    using wire = await Wire.open(server.url)
    expect(await wire.call(1, 'mutation', 'save').answer(1)).toMatchObject({ result: { type: 'data' } })
  })

  test('every entry of a batch gets its own answer, malformed ones too', async () => {
    await using server = await startSocket()
    using wire = await Wire.open(server.url)
    wire.send([5, { id: 'a', method: 'steal' }, request(2, 'query', 'echo', 1), { id: {} }, { id: 3, method: 'query' }])
    const received = await wire.frames(5)
    expect(received.filter((frame) => typeof frame === 'object' && frame.error)).toMatchObject([
      { id: null, error: { json: { data: { code: 'PARSE_ERROR', formatted: true } } } },
      { id: 'a', error: { json: { message: 'Invalid procedure type' } } },
      { id: null, error: { json: { message: 'Invalid request id' } } },
      { id: 3, error: { json: { message: 'Not an object' } } },
    ])
    expect(await wire.answer(2)).toHaveProperty('result')
  })

  test('an input that superjson refuses is an error of that call alone', async () => {
    await using server = await startSocket()
    using wire = await Wire.open(server.url)
    const poisoned = { json: { a: 1 }, meta: { values: { '__proto__.x': ['Date'] } } }
    wire.send([{ id: 1, method: 'query', params: { path: 'echo', input: poisoned } }, request(2, 'query', 'echo', 1)])
    expect(await wire.answer(1)).toMatchObject({ error: { json: { data: { code: 'PARSE_ERROR' } } } })
    expect(await wire.answer(2)).toHaveProperty('result')
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  test('binary frames are read as text', async () => {
    await using server = await startSocket()
    using wire = await Wire.open(server.url)
    wire.send(Buffer.from(JSON.stringify(request(1, 'query', 'echo', 'ü'))))
    expect(await wire.answer(1)).toMatchObject({ result: { data: { json: { input: 'ü' } } } })
  })

  test('a client that closes without a code is answered with 1000', async () => {
    await using server = await startSocket()
    using wire = await Wire.open(server.url)
    wire.ws.close()
    expect(await wire.closed).toMatchObject({ code: 1000 })
  })
})

describe('[wire] the official client', () => {
  function officialClient(url: string, connectionParams?: Record<string, string>) {
    const closes: (number | undefined)[] = []
    const client = createWSClient({
      url,
      WebSocket: WebSocket as never,
      onClose: (cause) => closes.push(cause?.code),
      retryDelayMs: () => 10,
      ...(connectionParams ? { connectionParams } : {}),
    })
    const trpc = createTRPCClient<WireRouter>({ links: [wsLink({ client, transformer: superjson })] })
    return { trpc, closes, [Symbol.asyncDispose]: () => client.close() }
  }

  function collect(subscribe: (handlers: object) => unknown) {
    const events: unknown[] = []
    return new Promise<unknown[]>((resolve, reject) => {
      subscribe({
        onStarted: () => events.push('started'),
        onData: (data: unknown) => events.push(data),
        onError: reject,
        onComplete: () => resolve(events),
      })
    })
  }

  test('queries, mutations, errors, Dates', async () => {
    await using server = await startSocket()
    await using client = officialClient(server.url)
    const [first, second] = await Promise.all([
      client.trpc.echo.query({ a: 1 }),
      client.trpc.save.mutate({ b: new Date(1) }),
    ])
    expect(first).toEqual({ input: { a: 1 }, at: new Date(0) })
    expect(second).toEqual({ saved: { b: new Date(1) } })
    expect(await client.trpc.nothing.query(undefined)).toBeUndefined()
    const error = await client.trpc.refuse.mutate({}).catch((cause) => cause)
    expect(error).toBeInstanceOf(TRPCClientError)
    expect(error.data).toMatchObject({ code: 'FORBIDDEN', formatted: true })
  })

  test('tracked events, observables, and the end of both', async () => {
    await using server = await startSocket()
    await using client = officialClient(server.url)
    const numbers = collect((handlers) => client.trpc.numbers.subscribe({ to: 2 }, handlers))
    const pushed = collect((handlers) => client.trpc.pushed.subscribe({}, handlers))
    expect(await numbers).toEqual(['started', { id: '1', data: { n: 1 } }, { id: '2', data: { n: 2 } }])
    expect(await pushed).toEqual(['started', 1, { id: 'two', data: { n: 2 } }])
  })

  test('[P5] a subscription resumes after the cut of its socket, from the last event it had', async () => {
    await using server = await startSocket()
    await using client = officialClient(server.url)
    const seen: unknown[] = []
    await new Promise<void>((resolve, reject) => {
      client.trpc.numbers.subscribe(
        { to: 1_000 },
        {
          onData(event: unknown) {
            seen.push((event as { data: { n: number } }).data.n)
            if (seen.length === 500) server.rawSockets[0]!.destroy()
          },
          onComplete: resolve,
          onError: reject,
        },
      )
    })
    expect(server.rawSockets.length).toBe(2)
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1))
  })

  test('a refused sign-in is answered under each call', async () => {
    await using server = await startSocket({
      createContext: ({ connectionParams }) => {
        throw new TRPCError({ code: 'UNAUTHORIZED', message: `no ${connectionParams?.token}` })
      },
    })
    await using client = officialClient(server.url, { token: 'luck' })
    const calls = [client.trpc.echo.query({}), client.trpc.save.mutate({})].map((call) => call.catch((cause) => cause))
    for (const error of await Promise.all(calls))
      expect(error.data).toMatchObject({ code: 'UNAUTHORIZED', formatted: true })
  })

  test('a refused sign-in closes 4401 with the reason', async () => {
    const createContext = () => {
      throw new TRPCError({ code: 'UNAUTHORIZED', message: 'no luck' })
    }
    await using server = await startSocket({ limits: { rejectMs: 20 }, createContext })
    using wire = await Wire.open(`${server.url}?connectionParams=1`)
    wire.send({ method: 'connectionParams', data: { token: 'x' } })
    expect(await wire.answer(null)).toMatchObject({ error: { json: { message: 'no luck' } } })
    expect(await wire.closed).toEqual({ code: 4401, reason: 'no luck' })
  })

  test('connectionParams reach createContext once', async () => {
    const params: unknown[] = []
    await using server = await startSocket({
      createContext: ({ connection, connectionParams }) => {
        params.push(connectionParams)
        return { connection }
      },
    })
    await using client = officialClient(server.url, { token: 'luck' })
    await client.trpc.echo.query({})
    await client.trpc.echo.query({})
    expect(params).toEqual([{ token: 'luck' }])
  })

  test('[P10] a server that drains hands its clients over without a gap', async () => {
    await using old = await startSocket({ limits: { rejectMs: 20, handOffMs: 50 } })
    await using next = await startSocket()
    // Where a load balancer would send the second attempt.
    let url = old.url
    const client = createWSClient({ url: () => url, WebSocket: WebSocket as never, retryDelayMs: () => 10 })
    const trpc = createTRPCClient<WireRouter>({ links: [wsLink({ client, transformer: superjson })] })
    const seen: unknown[] = []
    trpc.emitted.subscribe({}, { onData: (data: unknown) => seen.push(data) })
    await old.stage.until(() => old.stage.emitters.length > 0)
    const slow = trpc.held.mutate({ name: 'slow' })
    await old.stage.until(() => old.stage.waiting.length === 1)

    url = next.url
    const drained = old.socket.drain({ spreadMs: 20, deadlineMs: 10_000 })
    await next.stage.until(() => next.stage.emitters.length > 0)
    old.stage.waiting[0]!()
    expect(await slow).toBe('slow')
    await drained
    expect(await Wire.open(old.url).catch((error) => error.message)).toBe('HTTP 503')
    expect(old.socket.stats().connections).toBe(0)
    await client.close()
  })
})
