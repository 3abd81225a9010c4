import { once } from 'node:events'
import { connect } from 'node:net'
import { tracked } from '@trpc/server'
import { expect, test } from 'vitest'
import { FakeClock, maskedFrame, request, startSocket, upgradeHeaders, Wire } from '../harness/wire.ts'

const handshake = `GET /trpc HTTP/1.1\r\nHost: x\r\n${upgradeHeaders}\r\n`

/** A client that says these things and then never reads again. */
async function deafClient(port: number, ...messages: unknown[]) {
  const raw = connect(port, '127.0.0.1')
  raw.on('error', () => {})
  const frames = messages.map((message) => maskedFrame(JSON.stringify(message)))
  await new Promise<void>((resolve) => raw.write(Buffer.concat([Buffer.from(handshake), ...frames]), () => resolve()))
  raw.pause()
  return { raw, [Symbol.dispose]: () => raw.destroy() }
}

/** Resolves when the number has not changed for a thousand turns, and is not 0. */
const settled = async (read: () => number) => {
  for (let before = -1; before !== read() || before === 0; ) {
    before = read()
    for (let turn = 0; turn < 1_000; turn++) await nextTurn()
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

test('[P10] a generator is not pulled for a reader that does not read, and others keep their stream', async () => {
  await using server = await startSocket({ clock: new FakeClock() })
  using slow = await deafClient(server.port, request(1, 'subscription', 'firehose', { bytes: 10_000 }))
  // It stops once the kernel's buffers and ours are full: no event for a thousand turns.
  let before = -1
  while (before !== server.stage.produced || before === 0) {
    before = server.stage.produced
    for (let turn = 0; turn < 1_000; turn++) await nextTurn()
  }
  expect(server.rawSockets[0]!.writableLength).toBeLessThan(2 * 256 * 1024)
  expect(server.rawSockets[0]!.destroyed).toBe(false)

  using other = await Wire.open(server.url)
  other.call(1, 'subscription', 'numbers', { to: 2_000 })
  await other.frames(2_002)
  slow.raw.resume()
  await server.stage.until(() => server.stage.produced > before + 1_000)
})

test('[P10] an observable that outruns its reader gets the reader cut at 1 MiB; others keep their stream', async () => {
  await using server = await startSocket({ clock: new FakeClock() })
  using _slow = await deafClient(server.port, request(1, 'subscription', 'emitted', {}))
  await server.stage.until(() => server.stage.emitters.length > 0)
  const [connection] = server.connections
  const text = 'x'.repeat(10_000)
  for (let n = 0; !connection!.closed.aborted; n++) {
    expect(n).toBeLessThan(2_000)
    server.stage.emit(tracked(String(n + 1), { text }))
    expect(server.rawSockets[0]!.writableLength).toBeLessThan(1.1 * 1024 * 1024)
    await nextTurn()
  }
  expect(server.socket.stats()).toMatchObject({ cut: 1, connections: 0 })
})

test('[P10] who asks for much and reads nothing is neither read nor answered further, then cut', async () => {
  const clock = new FakeClock()
  await using server = await startSocket({ clock })
  const calls = Array.from({ length: 800 }, (_, id) => request(id, 'query', 'bytes', { bytes: 60_000 }))
  using _slow = await deafClient(server.port, request('me', 'mutation', 'identify', { user: 'ada' }), ...calls)
  const [socket] = await (async () => {
    while (!server.rawSockets[0]?.writableLength) await nextTurn()
    return server.rawSockets
  })()
  while (!socket!.isPaused()) await nextTurn()
  expect(socket!.writableLength).toBeLessThan(256 * 1024 + 17 * 60_100)
  clock.advance(1) // sees what was taken until now
  const { closed } = server.connections[0]!
  const gone = new Promise((resolve) => closed.addEventListener('abort', resolve))
  clock.advance(25_000)
  clock.advance(9_000)
  expect(closed.aborted).toBe(false)
  clock.advance(1_000)
  await gone
})

test('[P10] who takes nothing of what is sent is cut after 30 s, whatever it says meanwhile', async () => {
  const clock = new FakeClock()
  await using server = await startSocket({ clock })
  const calls = Array.from({ length: 16 }, (_, id) => request(id, 'query', 'bytes', { bytes: 400_000 }))
  using slow = await deafClient(server.port, request('me', 'mutation', 'identify', { user: 'ada' }), ...calls)
  await settled(() => server.rawSockets[0]?.writableLength ?? 0)
  clock.advance(1) // sees what was taken until now
  const { closed } = server.connections[0]!
  for (let passed = 0; passed < 30_000; passed += 5_000) {
    expect(closed.aborted).toBe(false)
    const { bytesRead } = server.rawSockets[0]!
    slow.raw.write(maskedFrame('', 0x89))
    while (server.rawSockets[0]!.bytesRead === bytesRead) await nextTurn()
    clock.advance(5_000)
  }
  expect(closed.aborted || (await once(closed, 'abort'))).toBeTruthy()
  expect(server.socket.stats().cut).toBe(1)
})

test('[P10] unsent bytes are bounded for each user over all sockets; those that owe most are cut', async () => {
  const clock = new FakeClock()
  await using server = await startSocket({ clock, limits: { unsentPerUser: 2 * 1024 * 1024 } })
  const ask = (user: string, bytes: number) =>
    deafClient(
      server.port,
      request('me', 'mutation', 'identify', { user }),
      // More than the operating system keeps for it.
      ...Array.from({ length: 12 }, (_, id) => request(id, 'query', 'bytes', { bytes })),
    )
  using _one = await ask('eve', 600_000)
  using _two = await ask('eve', 600_000)
  using _other = await ask('ada', 100_000)
  const unsent = () => server.rawSockets.map(({ writableLength }) => writableLength)
  await settled(() => unsent().reduce((sum, bytes) => sum + bytes, 0))
  const [one = 0, two = 0] = unsent()
  expect(one + two).toBeGreaterThan(2 * 1024 * 1024)
  clock.advance(1)
  const [first, second, other] = server.rawSockets.map(({ destroyed }) => destroyed)
  expect(one > two ? first : second).toBe(true)
  expect(other).toBe(false)
})

test('[P10] a large answer reaches a client that reads, however it compares to the bounds', async () => {
  await using server = await startSocket()
  using wire = await Wire.open(server.url)
  for (let id = 0; id < 12; id++) wire.call(id, 'query', 'bytes', { bytes: 600_000 })
  await wire.frames(12)
  expect(server.socket.stats().cut).toBe(0)
})

test('[P10] what waits for a slow reader stays as it was written, whatever others get meanwhile', async () => {
  await using server = await startSocket({ clock: new FakeClock() })
  using slow = await Wire.open(server.url)
  using other = await Wire.open(server.url)
  slow.call(1, 'subscription', 'emitted', {})
  other.call(1, 'subscription', 'emitted', {})
  await server.stage.until(() => server.stage.emitters.length === 2)
  slow.ws.pause()
  const [socket] = server.rawSockets
  const texts: string[] = []
  const emit = async () => {
    texts.push(`${texts.length} `.repeat(500))
    server.stage.emit(texts.at(-1))
    await nextTurn()
  }
  while (socket!.writableLength === 0) await emit()
  for (let more = 0; more < 300; more++) await emit()
  expect(socket!.writableLength).toBeGreaterThan(0)
  slow.ws.resume()
  for (const wire of [slow, other]) {
    const received = await wire.frames(texts.length + 1)
    expect(
      received.slice(1).map((frame) => (frame as { result: { data: { json: string } } }).result.data.json),
    ).toEqual(texts)
  }
  expect(server.socket.stats().cut).toBe(0)
})

test('[P7] a silent socket is pinged after 25 s, and cut 10 s later', async () => {
  const clock = new FakeClock()
  await using server = await startSocket({ clock })
  using alive = await Wire.open(server.url)
  using slow = await deafClient(server.port, request(1, 'mutation', 'identify', { user: 'ada' }))
  await alive.call(1, 'mutation', 'identify', { user: 'bo' }).answer(1)
  while (server.socket.stats().users < 2) await nextTurn()
  const [, deaf] = server.connections
  const gone = new Promise((resolve) => deaf!.closed.addEventListener('abort', resolve))
  clock.advance(1) // hears of what was said until now
  const pinged = new Promise((resolve) => alive.ws.once('ping', resolve))
  clock.advance(25_000)
  await pinged
  await alive.call(2, 'query', 'echo', 1).answer(2) // follows the pong
  clock.advance(9_999)
  expect(deaf!.closed.aborted).toBe(false)
  clock.advance(1)
  await gone
  expect(await alive.call(3, 'query', 'echo', 1).answer(3)).toHaveProperty('result')
  slow.raw.destroy()
})

test('[P10] a peer that does not answer a close is cut', async () => {
  await using server = await startSocket({ limits: { closeWaitMs: 30 } })
  using _deaf = await deafClient(server.port, request(1, 'mutation', 'leave', {}))
  while (!server.connections[0]) await nextTurn()
  const { closed } = server.connections[0]
  await new Promise((resolve) => closed.addEventListener('abort', resolve))
  expect(server.socket.stats().connections).toBe(0)
})

test('[P10] a drain ends at its deadline, whatever still runs', async () => {
  const clock = new FakeClock()
  await using server = await startSocket({ clock })
  using wire = await Wire.open(server.url)
  await wire.call(1, 'mutation', 'identify', { user: 'ada' }).answer(1)
  wire.call(2, 'mutation', 'held', { name: 'for ever' })
  await server.stage.until(() => server.stage.waiting.length === 1)
  const drained = server.socket.drain({ spreadMs: 10_000, deadlineMs: 30_000 })
  clock.advance(1)
  expect((await wire.frames(2))[1]).toEqual({ id: null, method: 'reconnect' })
  expect(await wire.call(3, 'query', 'echo', 1).answer(3)).toHaveProperty('result')
  clock.advance(28_999)
  expect(await wire.closed).toEqual({ code: 1012, reason: 'restarting' })
  await drained
})

test('[P10] who goes on asking after the hand-off is not read any more, and does not hold up a drain', async () => {
  const clock = new FakeClock()
  await using server = await startSocket({ clock })
  using wire = await Wire.open(server.url)
  await wire.call(1, 'mutation', 'identify', { user: 'ada' }).answer(1)
  const ask = (id: number) => wire.call(id, 'mutation', 'held', { name: `${id}` })
  ask(2)
  ask(3)
  await server.stage.until(() => server.stage.waiting.length === 2)
  const drained = server.socket.drain({ spreadMs: 0, deadlineMs: 30_000 })
  clock.advance(1)
  clock.advance(5_000)
  server.stage.waiting.shift()?.()
  await wire.answer(2)
  ask(4)
  for (let turn = 0; turn < 20; turn++) await nextTurn()
  server.stage.waiting.shift()?.()
  await wire.answer(3)
  clock.advance(1_000)
  expect(await wire.closed).toEqual({ code: 1012, reason: 'restarting' })
  await drained
  expect(server.stage.started).toEqual(['2', '3'])
})

test('[P10] a drain spreads its notices, and cuts at the deadline who answers no close', async () => {
  const clock = new FakeClock()
  await using server = await startSocket({ clock, limits: { closeWaitMs: 5_000 } })
  using first = await Wire.open(server.url)
  using second = await Wire.open(server.url)
  using _deaf = await deafClient(server.port)
  while (server.socket.stats().connections < 3) await nextTurn()
  const drained = server.socket.drain({ spreadMs: 9_000, deadlineMs: 20_000 })
  clock.advance(1)
  await first.frames(1)
  expect(await second.send('PING').frames(1)).toEqual(['PONG'])
  clock.advance(3_000)
  await second.frames(2)
  clock.advance(12_000)
  await Promise.all([first.closed, second.closed])
  while (server.socket.stats().connections > 1) await nextTurn()
  clock.advance(4_000)
  expect(server.socket.stats().connections).toBe(1)
  clock.advance(1_000)
  await drained
})
