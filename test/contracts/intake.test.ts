import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { createIntakes } from '../../server/fairness/intake.ts'
import type { TimeShare } from '../../server/fairness/time-shares.ts'
import { seededRandom } from '../harness/seeded-random.ts'

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A connection whose reader is behind an intake with this share. */
const openPair = async (share: TimeShare) => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const peer = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [reader] = (await once(server, 'connection')) as [Socket]
  const intake = createIntakes({ open: () => share }).of(reader, '127.0.0.1')
  return {
    peer,
    reader,
    intake,
    [Symbol.dispose]() {
      peer.destroy()
      reader.destroy()
      server.close()
    },
  }
}

const share = (more: Partial<TimeShare>): TimeShare => ({
  begin: () => true,
  charge() {},
  work: (run) => run(),
  wait: (goOn) => void setImmediate(goOn),
  lateMs: () => 0,
  rest() {},
  identify() {},
  close() {},
  ...more,
})

test('whatever its share allows and however its reader pauses, all bytes come in order, and then the end', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const random = seededRandom(seed)
    const oneIn = (count: number) => random.whole(count) === 0
    using pair = await openPair(share({ begin: () => oneIn(2) }))
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3))
    const write = async () => {
      for (let at = 0; at < sent.length; ) {
        const end = at + 1 + random.whole(20_000)
        if (!pair.peer.write(sent.subarray(at, end))) await once(pair.peer, 'drain')
        at = end
      }
      pair.peer.end()
    }
    const received: Buffer[] = []
    pair.reader.on('data', (bytes: Buffer) => {
      received.push(bytes)
      if (!oneIn(10)) return
      pair.reader.pause()
      void nextTurn().then(() => pair.reader.resume())
    })
    await Promise.all([write(), once(pair.reader, 'end')])
    expect(Buffer.concat(received).equals(sent)).toBe(true)
  }
})

test('while it waits nothing is read of the network, and the peer is held back', async () => {
  let goOn = () => {}
  let mayRead = false
  using pair = await openPair(
    share({
      begin: () => mayRead,
      wait: (next) => {
        goOn = next
      },
    }),
  )
  let received = 0
  pair.reader.on('data', ({ length }: Buffer) => {
    received += length
  })
  const chunk = Buffer.alloc(1024 * 1024)
  while (pair.peer.writableLength < 20 * chunk.length) {
    pair.peer.write(chunk)
    await nextTurn()
  }
  for (let turn = 0; turn < 1_000; turn++) await nextTurn()
  expect(received).toBe(0)
  expect(pair.peer.writableLength).toBeGreaterThan(0)
  mayRead = true
  goOn()
  pair.peer.end()
  await once(pair.reader, 'end')
  expect(received).toBe(pair.peer.bytesWritten)
})

test('a peer that is late for 30 s is cut, or what else was said', async () => {
  for (const isCut of [true, false]) {
    let turns = 0
    using pair = await openPair(share({ begin: () => false, lateMs: () => ++turns * 10_000 }))
    pair.reader.on('data', () => {})
    const isLate = isCut
      ? once(pair.reader, 'close')
      : new Promise<void>((resolve) => {
          pair.intake.onLate = resolve
        })
    pair.peer.on('error', () => {}).write('hello')
    await isLate
    expect(turns).toBe(4)
    expect(pair.reader.destroyed).toBe(isCut)
  }
})
