import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSlab, frameOf, layOut, type Part, wireBytes } from '../../server/socket/frame-layout.ts'

/** The texts of unmasked, whole text frames. */
const read = (bytes: Buffer): string[] => {
  const texts: string[] = []
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x81)
    const short = bytes[at + 1] as number
    const [length, header] =
      short === 127
        ? [Number(bytes.readBigUInt64BE(at + 2)), 10]
        : short === 126
          ? [bytes.readUInt16BE(at + 2), 4]
          : [short, 2]
    // RFC 6455: the shortest form that fits.
    expect(header).toBe(length < 126 ? 2 : length < 65_536 ? 4 : 10)
    texts.push(bytes.toString('utf8', at + header, at + header + length))
    at += header + length
  }
  return texts
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc
    .tuple(fc.constantFrom('x', 'ü', '😀'), fc.constantFrom(0, 31, 62, 125, 126, 16_384, 32_767, 65_535))
    .map(([unit, count]) => unit.repeat(count)),
)
const part = fc.tuple(text, fc.boolean()).map(([string, shared]): Part => (shared ? Buffer.from(string) : string))

test('frames are laid out one behind the other, whatever their length and script', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(part, part), { minLength: 1, maxLength: 5 }), (parts) => {
      const frames = parts.map(([head, tail]) => frameOf(head, tail))
      const out = Buffer.alloc(frames.reduce((sum, frame) => sum + wireBytes(frame), 0))
      layOut(frames, out)
      expect(read(out)).toEqual(parts.map(([head, tail]) => `${head}${tail}`))
    }),
    { numRuns: 300 },
  )
})

test('room is given again until it is kept, and what is kept is nobody else’s', () => {
  const slab = createSlab()
  const first = slab.room(1_000).fill(1)
  expect(slab.room(500).byteOffset).toBe(first.byteOffset)
  const kept = Array.from({ length: 300 }, (_, i) => {
    const room = slab.room(1 + ((i * 997) % 20_000)).fill(i)
    slab.keep(room)
    slab.room(5_000).fill(0xff)
    return room
  })
  expect(kept.every((room, i) => room.every((byte) => byte === i % 256))).toBe(true)
})
