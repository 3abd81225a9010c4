import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import type { Intake } from '../../server/fairness/intake.ts'
import type { TimeShares } from '../../server/fairness/time-shares.ts'
import { explain } from '../../server/http/explain.ts'
import { takeTurns } from '../../server/http/request-turns.ts'
import { canWatchTurns, watchTurns } from '../harness/turns.ts'
import { maskedFrame, startSocket, upgradeHeaders, Wire } from '../harness/wire.ts'
import { startWorld, type World } from '../harness/world.ts'

const handshake = `GET /trpc HTTP/1.1\r\nHost: 127.0.0.1\r\n${upgradeHeaders}\r\n`
const repeated = (bytes: Buffer) => Buffer.concat(Array.from({ length: Math.ceil(65_536 / bytes.length) }, () => bytes))

/** What strangers may send for ever, as fast as the network takes it; each sort is another path through the server. */
const floods: Record<string, { opening: string; bytes: Buffer }> = {
  'junk texts': { opening: handshake, bytes: repeated(maskedFrame('?')) },
  'batches of entries that are none': {
    opening: handshake,
    bytes: repeated(maskedFrame(JSON.stringify(Array(20).fill(1)))),
  },
  'calls that are refused': {
    opening: handshake,
    bytes: repeated(maskedFrame(JSON.stringify({ id: 1, method: 'query', params: { path: 'me' } }))),
  },
  'inputs that fit no procedure': {
    opening: handshake,
    bytes: repeated(
      maskedFrame(JSON.stringify({ id: 1, method: 'mutation', params: { path: 'login', input: { json: { a: [] } } } })),
    ),
  },
  'binary frames': { opening: handshake, bytes: repeated(maskedFrame('?', 0x82)) },
  pongs: { opening: handshake, bytes: repeated(maskedFrame('', 0x8a)) },
  'requests without waiting for answers': {
    opening: '',
    bytes: repeated(Buffer.from('GET /trpc/me HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')),
  },
}

/** Ten connections of another address that send it until they are closed. Nothing of what they are sent is looked at. */
const flood = async (world: World, { opening, bytes }: { opening: string; bytes: Buffer }) => {
  const sockets: Socket[] = []
  const send = (socket: Socket) => {
    while (socket.writable && socket.write(bytes));
  }
  for (let i = 0; i < 10; i++) {
    const socket = connect({ port: Number(new URL(world.url).port), host: '127.0.0.1', localAddress: '127.0.0.2' })
    sockets.push(socket)
    socket.on('error', () => {})
    await once(socket, 'connect')
    if (opening !== '') {
      socket.write(opening)
      await once(socket, 'data')
    }
    socket.resume()
    socket.on('drain', () => send(socket))
    send(socket)
  }
  return {
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

for (const [name, bytes] of Object.entries(floods)) {
  test.skipIf(!canWatchTurns)(
    `[P10] a flood of ${name} takes a slice of each turn, and somebody else is answered all the while (Linux only)`,
    async () => {
      await using world = await startWorld({ config: { rateLimits: true } })
      const [ada, bob] = await world.people('ada', 'bob')
      using _flood = await flood(world, bytes)
      const turns = watchTurns()
      for (let i = 0; i < 25; i++) await ada.client.me()
      await ada.send('bob', 'hello')
      const { longest, p99 } = turns.end()
      expect(await bob.received(1)).toEqual(['hello'])
      expect(p99).toBeLessThan(50)
      expect(longest).toBeLessThan(150)
    },
  )
}

test('[P10] a WebSocket that goes on asking for more than its share is closed, and told so', async () => {
  const intake = { share: { identify() {} }, onLate() {} }
  await using server = await startSocket({ intakeOf: () => intake as unknown as Intake })
  using wire = await Wire.open(server.url)
  await wire.call(1, 'query', 'echo', 1).answer(1)
  intake.onLate()
  expect(await wire.closed).toEqual({ code: 1008, reason: expect.stringContaining('share') })
})

test('[P10] behind a proxy each address waits for its own share, up to a hundred requests; others are served meanwhile', async () => {
  const waiting: (() => void)[] = []
  const shares: TimeShares = {
    open: (address) => ({
      begin: () => address !== 'eve',
      charge() {},
      work: (run) => run(),
      wait: (goOn) => void waiting.push(goOn),
      lateMs: () => 0,
      rest() {},
      identify() {},
      close() {},
    }),
  }
  await using server = fastify()
  server.setErrorHandler(async (thrown, _req, reply) => reply.code(explain(thrown).status).send())
  takeTurns(server, { shares, shareOf: () => null, clientAddress: ({ headers }) => String(headers.from) })
  server.get('/', async () => 'served')
  const ask = async (from: string) => (await server.inject({ url: '/', headers: { from } })).statusCode
  const flood = Array.from({ length: 100 }, () => ask('eve'))
  while (waiting.length < 100) await new Promise((resolve) => setImmediate(resolve))
  expect(await ask('eve')).toBe(429)
  expect(await ask('ada')).toBe(200)
  for (const goOn of waiting) goOn()
  expect(new Set(await Promise.all(flood))).toEqual(new Set([200]))
})
