import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { readFrames } from '../../server/socket/frame-reader.ts'

/** The longest text that most of these allow; some allow less. */
const maxText = 300
const serverFor = (maxPayload: number) =>
  new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
    maxFragments: 4,
    maxBufferedChunks: 32,
  })

/** Two ends in memory, and what `ws` makes of the bytes at one of them: with the reader in front of it, and alone. */
const connection = (withReader: boolean, maxPayload = maxText) => {
  const told: string[] = []
  const written: Buffer[] = []
  const socket = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      written.push(chunk)
      done()
    },
  })
  const headers = {
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  const request = { method: 'GET', headers } as unknown as IncomingMessage
  let opened: WebSocket | undefined
  serverFor(maxPayload).handleUpgrade(request, socket, Buffer.alloc(0), (ws) => {
    opened = ws
  })
  const ws = opened as WebSocket
  written.length = 0
  const onText = (text: string) => {
    told.push(`text ${text}`)
    if (text === 'close me') ws.close(1000, 'as you wish')
    if (text === 'pause me') ws.pause()
  }
  const onIllFormed = () => ws.close(1007)
  if (withReader) readFrames(socket, ws, maxPayload, onText, onIllFormed)
  else ws.on('message', (data: Buffer) => (isUtf8(data) ? onText(data.toString()) : onIllFormed()))
  ws.on('ping', (data) => told.push(`ping ${data}`))
  ws.on('pong', (data) => told.push(`pong ${data}`))
  ws.on('error', (error: NodeJS.ErrnoException) => told.push(`error ${error.code}`))
  ws.on('close', (code, reason) => told.push(`close ${code} ${reason}`))

  return {
    ws,
    async receives(chunks: { bytes: Buffer; turn: boolean }[]) {
      for (const { bytes, turn } of chunks) {
        if (socket.destroyed) break
        // Whoever reads writes into what it reads.
        socket.push(Buffer.from(bytes))
        if (turn) await nextTurn()
        if (ws.isPaused) ws.resume()
      }
      await nextTurn()
      if (!socket.destroyed) socket.push(null)
      await nextTurn()
      socket.destroy()
      await nextTurn()
      return { told, written: Buffer.concat(written).toString('hex') }
    },
  }
}
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

interface Frame {
  first: number
  payload: Buffer
  mask: Buffer | null
  /** Of its length: seven, sixteen or sixty-four bits, whatever it needs. */
  bits?: 16 | 64
}

const bytesOf = ({ first, payload, mask, bits }: Frame): Buffer => {
  const { length } = payload
  const header = [first]
  const masked = mask ? 0x80 : 0
  if (bits === 64) header.push(masked | 127, 0, 0, 0, 0, 0, 0, length >> 8, length & 0xff)
  else if (bits === 16 || length > 125) header.push(masked | 126, length >> 8, length & 0xff)
  else header.push(masked | length)
  return Buffer.concat([
    Buffer.from(header),
    mask ?? Buffer.alloc(0),
    payload.map((byte, i) => byte ^ (mask?.[i & 3] ?? 0)),
  ])
}

const compare = async (frames: Frame[], cuts: number[], turns: boolean[], maxPayload?: number) => {
  const bytes = Buffer.concat(frames.map(bytesOf))
  const places = [...new Set([...cuts, bytes.length])]
    .filter((cut) => cut > 0 && cut <= bytes.length)
    .sort((a, b) => a - b)
  const chunks = places.map((end, i) => ({ bytes: bytes.subarray(places[i - 1] ?? 0, end), turn: turns[i] ?? true }))
  const expected = await connection(false, maxPayload).receives(chunks)
  expect(await connection(true, maxPayload).receives(chunks)).toEqual(expected)
  return expected
}

const text = (payload: string | Buffer, more: Partial<Frame> = {}): Frame => ({
  first: 0x81,
  payload: Buffer.from(payload),
  mask: Buffer.from([1, 0x82, 3, 0xff]),
  ...more,
})
const closeFrame = text(Buffer.from([0x0f, 0xa0]), { first: 0x88 })

const streams: [string, Frame[]][] = [
  ['texts', [text('one'), text(''), text('ü€😀'), text('x'.repeat(126)), text('pause me'), text('last')]],
  ['lengths of more bits than they need', [text('one', { bits: 16 }), text('two', { bits: 64 }), text('three')]],
  ['pings and pongs between texts', [text('one'), text('?', { first: 0x89 }), text('', { first: 0x8a }), text('two')]],
  [
    'fragments with a ping between them',
    [text('on', { first: 0x01 }), text('?', { first: 0x89 }), text('e', { first: 0x80 }), text('two')],
  ],
  ['a pause, and an end while bytes wait', [text('pause me'), text('', { first: 0x89 }), text('two')]],
  ['a binary message', [text('one'), text('two', { first: 0x82 }), text('three')]],
  ['a text that is not UTF-8', [text('one'), text(Buffer.from([0x41, 0xc3, 0x28])), text('two')]],
  ['a text that ends in the middle of a character', [text(Buffer.from('€').subarray(0, 2)), text('two')]],
  ['a text without a mask', [text('one'), text('two', { mask: null }), text('three')]],
  ['a text with a reserved bit', [text('one'), text('two', { first: 0xc1 }), text('three')]],
  ['an unknown kind of frame', [text('one'), text('two', { first: 0x83 }), text('three')]],
  ['the largest text, and a larger one', [text('x'.repeat(maxText)), text('x'.repeat(maxText + 1)), text('two')]],
  ['a long ping', [text('x'.repeat(126), { first: 0x89 }), text('two')]],
  ['a close with texts behind it', [text('one'), closeFrame, text('two')]],
  [
    'a close of this side with texts behind it',
    [text('one'), text('close me'), text('two'), closeFrame, text('three')],
  ],
  ['too many fragments', Array.from({ length: 6 }, (_, i) => text('x', { first: i === 0 ? 0x01 : 0x00 }))],
]

test.each(streams)('%s: the same as by ws alone, whole and cut at each byte', async (_name, frames) => {
  const bytes = Buffer.concat(frames.map(bytesOf)).length
  const whole = await compare(frames, [], [])
  expect(whole.told.length).toBeGreaterThan(0)
  for (let cut = 1; cut < bytes; cut++) {
    await compare(frames, [cut], [cut % 2 === 0])
  }
  await compare(
    frames,
    Array.from({ length: bytes }, (_, i) => i),
    [],
  )
})

test.each([1, 3, 9])(
  'a text in pieces passes through ws, those around it do not: cut behind %i bytes',
  async (behind) => {
    const { ws, receives } = connection(true)
    const passed: string[] = []
    ws.on('message', (data: Buffer) => passed.push(data.toString()))
    const inPieces = text('in pieces '.repeat(20))
    const before = Buffer.concat([text('one'), text('?', { first: 0x89 }), text('two')].map(bytesOf))
    const bytes = Buffer.concat([before, ...[inPieces, text('three'), text('four')].map(bytesOf)])
    const cut = before.length + behind
    const { told } = await receives([
      { bytes: bytes.subarray(0, cut), turn: true },
      { bytes: bytes.subarray(cut), turn: true },
    ])
    expect(told).toEqual([
      'text one',
      'ping ?',
      'text two',
      `text ${inPieces.payload}`,
      'text three',
      'text four',
      'close 1006 ',
    ])
    expect(passed).toEqual([String(inPieces.payload)])
  },
)

const payloads = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }).map((string) => Buffer.from(string)) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: maxText + 2 }).map((length) => Buffer.alloc(length, 'y')) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constantFrom('close me', 'pause me').map((string) => Buffer.from(string)) },
)
const masks = fc.oneof(
  { weight: 30, arbitrary: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constant(null) },
)
const frame: fc.Arbitrary<Frame> = fc.record({
  first: fc.oneof(
    { weight: 20, arbitrary: fc.constant(0x81) },
    { weight: 5, arbitrary: fc.constantFrom(0x89, 0x8a) },
    { weight: 2, arbitrary: fc.constantFrom(0x01, 0x00, 0x80, 0x82, 0x88) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
  ),
  payload: payloads,
  mask: masks,
  bits: fc.oneof({ weight: 10, arbitrary: fc.constant(undefined) }, fc.constantFrom(16, 64)) as fc.Arbitrary<16 | 64>,
})

test('[P10] whatever comes, and however it is cut: the same texts, pings, pongs, answers and ends as by ws alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 1_500 }), { maxLength: 20 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      fc.constantFrom(40, maxText),
      async (frames, cuts, turns, maxPayload) => {
        await compare(frames, cuts, turns, maxPayload)
      },
    ),
    { numRuns: 1_500 },
  )
})
