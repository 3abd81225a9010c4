import { tracked } from '@trpc/server'
import { expect, test } from 'vitest'
import { plainJson, startSocket, Wire } from '../harness/wire.ts'

/** JSON, and how often it was written. */
function countingTransformer() {
  const counts = { serialised: 0 }
  const serialize = (value: unknown) => {
    counts.serialised++
    return value
  }
  return { counts, transformer: { ...plainJson, serialize } as typeof plainJson }
}

test('[wire] an event is serialised once, however many subscriptions yield it, under each one’s own id', async () => {
  const { counts, transformer } = countingTransformer()
  await using server = await startSocket({ transformer })
  const wires = await Promise.all([1, 2, 3, 4, 5].map(() => Wire.open(server.url)))
  for (const wire of wires) for (let id = 0; id < 20; id++) wire.call(id, 'subscription', 'emitted', {})
  await server.stage.until(() => server.stage.emitters.length === 100)
  counts.serialised = 0

  const event = { text: 'ü€😀' }
  server.stage.emit(tracked('1', event))
  expect(counts.serialised).toBe(1)
  server.stage.emit(tracked('2', event)) // the same, under another id
  server.stage.emit(event)
  expect(counts.serialised).toBe(3)
  server.stage.emit('text') // shared by value only
  expect(counts.serialised).toBe(103)

  for (const wire of wires) {
    const received = (await wire.frames(100)).filter((frame) => typeof frame === 'object' && frame.id === 7)
    expect(received.map((frame) => (frame as { result: unknown }).result)).toEqual([
      { type: 'started' },
      { type: 'data', data: { id: '1', data: event }, id: '1' },
      { type: 'data', data: { id: '2', data: event }, id: '2' },
      { type: 'data', data: event },
      { type: 'data', data: 'text' },
    ])
    wire.ws.terminate()
  }
})

test('[wire] all frames of one turn leave in one write, whatever their length', async () => {
  await using server = await startSocket({ transformer: plainJson })
  using wire = await Wire.open(server.url)
  wire.send({ id: 1, method: 'subscription', params: { path: 'emitted' } })
  await wire.frames(1)
  const socket = server.rawSockets[0]!
  const write = socket.write.bind(socket)
  let writes = 0
  socket.write = ((...args: Parameters<typeof write>) => {
    writes++
    return write(...args)
  }) as typeof socket.write
  const lengths = [0, 50, 60, 70, 80, 90, 100, 125, 126, 65_400, 65_500, 70_000]
  for (const length of lengths) server.stage.emit('x'.repeat(length))
  const received = await wire.frames(1 + lengths.length)
  expect(received.slice(1).map((frame) => (frame as { result: { data: string } }).result.data.length)).toEqual(lengths)
  expect(writes).toBe(1)
})
