import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { deeperThan } from '../../server/socket/frames.ts'
import { FakeClock, maskedFrame, request, sendBytes, startSocket, upgradeHeaders, Wire } from '../harness/wire.ts'

const handshake = `GET /trpc HTTP/1.1\r\nHost: x\r\n${upgradeHeaders}\r\n`

test('[P10] too large, too many fragments, unmasked, not UTF-8: closed with the code that says so', async () => {
  await using server = await startSocket()
  const code = async (frames: Buffer) => {
    const answer = await sendBytes(server.port, Buffer.concat([Buffer.from(handshake), frames]))
    const close = Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1')
    return close[0] === 0x88 ? close.readUInt16BE(2) : close.toString()
  }
  const codes = await Promise.all([
    code(maskedFrame('x'.repeat(65_535)).fill(127 | 0x80, 1, 2)), // announces far more than 64 KiB
    code(Buffer.concat([maskedFrame('x', 0x01), ...Array.from({ length: 200 }, () => maskedFrame('x', 0x00))])),
    code(Buffer.from([0x81, 0x01, 0x41])),
    code(maskedFrame(Buffer.from([0xc3, 0x28]))),
    code(maskedFrame('x', 0xc1)),
  ])
  expect(codes).toEqual([1009, 1008, 1002, 1007, 1002])
})

test('[P10] a batch of too many entries runs none of them and closes 1008', async () => {
  await using server = await startSocket()
  using wire = await Wire.open(server.url)
  wire.send(Array.from({ length: 21 }, (_, id) => request(id, 'mutation', 'held', { name: id })))
  expect(await wire.closed).toMatchObject({ code: 1008 })
  expect(server.stage.started).toEqual([])
})

test('[P10] nested too deeply is a PARSE_ERROR; brackets in strings are not nesting', async () => {
  await using server = await startSocket()
  using wire = await Wire.open(server.url)
  wire.send('['.repeat(20_000) + ']'.repeat(20_000))
  expect(await wire.answer(null)).toMatchObject({ error: { json: { message: 'Nested deeper than 32' } } })
  const text = '[{'.repeat(1_000)
  expect(await wire.call(1, 'query', 'echo', { text }).answer(1)).toMatchObject({
    result: { data: { json: { input: { text } } } },
  })

  expect(deeperThan(2, '[[1]]')).toBe(false)
  expect(deeperThan(2, '[{"a":[1]}]')).toBe(true)
  expect(deeperThan(2, '[["\\"[[["],["\\\\"],[1]]')).toBe(false)
  expect(deeperThan(2, '["\\\\",[[1]]]')).toBe(true)
  expect(deeperThan(1, '"unterminated [[[[')).toBe(false)
})

test('[P10] an id that would multiply traffic is no id', async () => {
  await using server = await startSocket()
  using wire = await Wire.open(server.url)
  expect(await wire.call('x'.repeat(257), 'query', 'echo', 1).answer(null)).toHaveProperty('error')
})

test('[P10] 20,000 subscriptions on one socket: a hundred live, the others are refused, others are served', async () => {
  await using server = await startSocket()
  using wire = await Wire.open(server.url)
  using other = await Wire.open(server.url)
  const count = 20_000
  for (let id = 0; id < count; id += 20) {
    wire.send(Array.from({ length: 20 }, (_, index) => request(id + index, 'subscription', 'idle', {})))
  }
  expect(await other.call(1, 'query', 'echo', 1).answer(1)).toHaveProperty('result')
  const received = await wire.frames(count)
  const live = received.filter((frame) => typeof frame === 'object' && frame.result)
  expect(live.length).toBe(100)
  expect(server.stage.started.length).toBe(100)
  wire.ws.terminate()
  await server.stage.until(() => server.stage.finished.length === 100)
})

test('[P10] no more than 16 calls run at once; what is beyond 64 waiting is not read, and none is lost', async () => {
  await using server = await startSocket()
  using wire = await Wire.open(server.url)
  const count = 500
  for (let id = 0; id < count; id++) wire.call(id, 'mutation', 'held', { name: id })
  let released = 0
  while (released < count) {
    await server.stage.until(() => server.stage.waiting.length > released)
    expect(server.stage.waiting.length - released).toBeLessThanOrEqual(16)
    server.stage.waiting[released++]!()
  }
  const received = await wire.frames(count)
  expect(received.map((frame) => (frame as { id: number }).id)).toEqual(Array.from({ length: count }, (_, id) => id))
})

test('[P10] junk behind calls that wait does not pile up: closed 1008', async () => {
  await using server = await startSocket()
  const raw = connect(server.port, '127.0.0.1')
  raw.on('error', () => {})
  const calls = Array.from({ length: 100 }, (_, id) => maskedFrame(JSON.stringify(request(id, 'mutation', 'held', {}))))
  const junk = Array.from({ length: 5_000 }, () => maskedFrame('1'))
  const answer = await sendBytes(
    server.port,
    Buffer.concat([Buffer.from(handshake), ...calls, ...junk]),
    /too many frames/,
  )
  expect(answer).toContain('too many frames')
  raw.destroy()
})

test('[P10] a generator that ignores its signal keeps neither the client nor the socket', async () => {
  await using server = await startSocket({ limits: { subscriptions: 2 } })
  using wire = await Wire.open(server.url)
  wire.call(1, 'subscription', 'deaf', {})
  await wire.frames(2)
  wire.send({ id: 1, method: 'subscription.stop' })
  await wire.frames(3)
  expect(wire.received[2]).toMatchObject({ id: 1, result: { type: 'stopped' } })
  // The id is free again, but what still runs counts: else stopping and starting would be without bound.
  wire.call(1, 'subscription', 'deaf', {})
  await wire.frames(5)
  wire.call(2, 'subscription', 'deaf', {})
  expect(await wire.answer(2)).toMatchObject({ error: { json: { data: { code: 'TOO_MANY_REQUESTS' } } } })
  wire.ws.close(1000)
  expect(await wire.closed).toMatchObject({ code: 1000 })
})

test('[P10] subscriptions of one user are counted over all of her sockets', async () => {
  await using server = await startSocket({ limits: { subscriptionsPerUser: 2 } })
  const open = async (user: string) => {
    const wire = await Wire.open(server.url)
    await wire.call('me', 'mutation', 'identify', { user }).answer('me')
    return wire
  }
  using first = await open('ada')
  using second = await open('ada')
  using other = await open('bob')
  const started = async (wire: Wire, id: number) => {
    wire.call(id, 'subscription', 'idle', {})
    const received = await wire.until((frames) => frames.some((frame) => (frame as { id?: unknown }).id === id))
    return received.findLast((frame) => (frame as { id?: unknown }).id === id)
  }
  for (const wire of [first, second, other]) expect(await started(wire, 1)).toHaveProperty('result')
  expect(await started(second, 2)).toMatchObject({ error: { json: { data: { code: 'TOO_MANY_REQUESTS' } } } })
  // One that is over makes room.
  first.send({ id: 1, method: 'subscription.stop' })
  await server.stage.until(() => server.stage.finished.length === 1)
  expect(await started(second, 3)).toHaveProperty('result')
})

test('[P10] starting and stopping for ever leaves nothing behind', async () => {
  await using server = await startSocket({ limits: { subscriptions: 3 } })
  using wire = await Wire.open(server.url)
  for (let round = 0; round < 50; round++) {
    wire.call(1, 'subscription', 'idle', {})
    await wire.until((all) => all.length === 2 * round + 1)
    wire.send({ id: 1, method: 'subscription.stop' })
    await wire.until((all) => all.length === 2 * round + 2)
  }
  await server.stage.until(() => server.stage.finished.length === 50)
  expect(wire.received.every((frame) => typeof frame === 'object' && !frame.error)).toBe(true)
})

test('[P10] a subscription stopped before it started never starts', async () => {
  await using server = await startSocket({ limits: { callsInFlight: 1 } })
  using wire = await Wire.open(server.url)
  wire.call(1, 'mutation', 'held', { name: 'first' }).call(2, 'subscription', 'idle', {})
  wire.send({ id: 2, method: 'subscription.stop' })
  await wire.frames(1)
  expect(wire.received).toEqual([{ id: 2, result: { type: 'stopped' } }])
  server.stage.waiting[0]!()
  await wire.answer(1)
  expect(await wire.call(3, 'query', 'echo', 1).answer(3)).toHaveProperty('result')
  expect(server.stage.started).toEqual(['first'])
})

test('[P8] nothing is received after a close by the application, and its streams end', async () => {
  await using server = await startSocket()
  using wire = await Wire.open(server.url)
  wire.call(1, 'subscription', 'idle', {})
  await wire.frames(1)
  wire.call(2, 'mutation', 'leave', {})
  expect(await wire.closed).toEqual({ code: 4401, reason: 'signed out' })
  await server.stage.until(() => server.stage.finished.length === 1)
  expect(wire.received.length).toBe(1)
})

test('[P10] an error of onError, of the error formatter, or of a log is nobody’s end', async () => {
  await using server = await startSocket({
    onError: (() => Promise.reject(new Error('bug'))) as never,
  })
  using wire = await Wire.open(server.url)
  expect(await wire.call(1, 'mutation', 'refuse', {}).answer(1)).toHaveProperty('error')
})

test('[P10] deadlines: connectionParams, sign-in', async () => {
  const clock = new FakeClock()
  await using server = await startSocket({ clock })
  using silent = await Wire.open(`${server.url}?connectionParams=1`)
  using anonymous = await Wire.open(server.url)
  using signedIn = await Wire.open(server.url)
  await signedIn.call(1, 'mutation', 'identify', { user: 'ada' }).answer(1)
  clock.advance(10_000)
  expect(await silent.closed).toMatchObject({ code: 4408 })
  expect(await anonymous.call(1, 'query', 'echo', 1).answer(1)).toHaveProperty('result')
  clock.advance(50_000)
  expect(await anonymous.closed).toMatchObject({ code: 4408 })
  expect(await signedIn.call(2, 'query', 'echo', 1).answer(2)).toHaveProperty('result')
})

test('[P10] what stands behind the end of a connection, in the same batch, does not run', async () => {
  await using server = await startSocket({ limits: { cutAnswerBytes: 0, pauseBytes: 1e9 } })
  using wire = await Wire.open(server.url)
  const behind = Array.from({ length: 4 }, (_, id) => request(id, 'mutation', 'held', { name: id }))
  // So that the second answer finds the first one unsent, which cuts.
  server.rawSockets[0]!.cork()
  wire.send([5, 5, ...behind])
  expect(await wire.closed).toMatchObject({ code: 1006 })
  expect(server.stage.started).toEqual([])
})
