import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  maskedFrame,
  type RunningSocket,
  request,
  sendBytes,
  startSocket,
  upgradeHeaders,
  Wire,
} from '../harness/wire.ts'

describe('[P10] a hostile upgrade gets a plain answer, and nobody else notices', () => {
  let server: RunningSocket
  let witness: Wire
  beforeAll(async () => {
    server = await startSocket()
    witness = await Wire.open(server.url)
  })
  afterAll(async () => {
    // After all of them, the first client is still served.
    expect(await witness.call(1, 'query', 'echo', 1).answer(1)).toHaveProperty('result')
    await server[Symbol.asyncDispose]()
  })

  const upgrade = (target: string, host = 'localhost', more = '', method = 'GET') =>
    `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${upgradeHeaders}${more}\r\n`
  const status = async (bytes: string | Buffer) => (await sendBytes(server.port, bytes, /\r\n\r\n/)).split(' ')[1]

  test.each(['[', 'a b', '', 'localhost:99999', '[::1', '%', '@'])('Host: %j', async (host) => {
    expect(['101', '400']).toContain(await status(upgrade('/trpc', host)))
  })
  test.each([
    '//',
    '//elsewhere/trpc',
    '/',
    '/trpc/',
    '/TRPC',
    '/trpcx',
    '/%74rpc',
    '/[',
    'http://localhost/trpc',
    '*',
    '/..//trpc',
    '?',
  ])('path %s', async (path) => {
    expect(['400', '404']).toContain(await status(upgrade(path)))
  })
  test('a query is not part of the path, whatever is in it', async () => {
    expect(await status(upgrade('/trpc?connectionParams=1&%%%=[&__proto__=1'))).toBe('101')
  })
  test('the wrong path, with bad frames behind it', async () => {
    const bad = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x00, 0x41])
    expect(await status(Buffer.concat([Buffer.from(upgrade('/elsewhere')), bad]))).toBe('404')
  })
  test('another method', async () => {
    expect(await status(upgrade('/trpc', 'localhost', '', 'POST'))).toBe('405')
  })
  test('a forbidden origin', async () => {
    expect(await status(upgrade('/trpc', 'localhost', 'Origin: http://evil.example\r\n'))).toBe('403')
  })
  test('no key, no version, another protocol', async () => {
    const head = 'GET /trpc HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n'
    expect(await status(`${head}Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n`)).toBe('400')
    expect(await status(`${head}Upgrade: h2c\r\n\r\n`)).toBe('400')
    expect(await status(`${head}Upgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 99\r\n\r\n`)).toBe(
      '400',
    )
  })
  test('huge headers', async () => {
    expect(await status(upgrade('/trpc', 'localhost', `X: ${'x'.repeat(100_000)}\r\n`))).toBe('431')
  })
  test('what `allowOrigin` throws is a 400', async () => {
    await using other = await startSocket({
      allowOrigin: () => {
        throw new Error('bug')
      },
    })
    expect((await sendBytes(other.port, upgrade('/trpc'))).split(' ')[1]).toBe('400')
  })
  test('frames right behind the upgrade are read', async () => {
    const frame = maskedFrame(JSON.stringify(request('early', 'query', 'echo', 1)))
    expect(await sendBytes(server.port, Buffer.concat([Buffer.from(upgrade('/trpc')), frame]), /early/)).toContain(
      'early',
    )
  })
})

describe('[P10] caps on sockets', () => {
  const refused = (url: string) =>
    Wire.open(url).then(
      () => 'opened',
      (error) => error.message,
    )
  test('of an address or a site: 429, of the server: 503; both are free again after a close', async () => {
    for (const [limits, status] of [
      [{ socketsPerAddress: 2 }, 'HTTP 429'],
      [{ socketsPerSite: 2 }, 'HTTP 429'],
      [{ sockets: 2 }, 'HTTP 503'],
    ] as const) {
      await using server = await startSocket({ limits, siteOf: () => 'a site' })
      using first = await Wire.open(server.url)
      using second = await Wire.open(server.url)
      expect(await refused(server.url)).toBe(status)
      const [connection] = server.connections
      const gone = new Promise((resolve) => connection!.closed.addEventListener('abort', resolve))
      first.ws.close()
      await gone
      using third = await Wire.open(server.url)
      expect(await third.call(1, 'query', 'echo', 1).answer(1)).toHaveProperty('result')
      expect(await second.call(1, 'query', 'echo', 1).answer(1)).toHaveProperty('result')
    }
  })

  test('of a user: TOO_MANY_REQUESTS, until another of her sockets is gone or is somebody else', async () => {
    await using server = await startSocket({ limits: { socketsPerUser: 1 } })
    using first = await Wire.open(server.url)
    using second = await Wire.open(server.url)
    first.call(1, 'mutation', 'identify', { user: 'ada' }).call(2, 'mutation', 'identify', { user: 'ada' })
    expect(await first.answer(2)).toHaveProperty('result')
    const tooMany = { error: { json: { data: { code: 'TOO_MANY_REQUESTS' } } } }
    expect(await second.call(1, 'mutation', 'identify', { user: 'ada' }).answer(1)).toMatchObject(tooMany)
    await first.call(3, 'mutation', 'identify', { user: 'bo' }).answer(3)
    expect(await second.call(2, 'mutation', 'identify', { user: 'ada' }).answer(2)).toHaveProperty('result')
    expect(server.socket.stats()).toMatchObject({ users: 2 })
  })

  test('a cap that createContext meets closes 1013', async () => {
    await using server = await startSocket({
      limits: { socketsPerUser: 0, rejectMs: 20 },
      createContext: ({ connection }) => {
        connection.identify('ada')
        return { connection }
      },
    })
    using wire = await Wire.open(server.url)
    expect(await wire.closed).toMatchObject({ code: 1013 })
  })
})
