/** Part of a frame's text: as a string, or as its UTF-8 where more than one frame may share it. */
export type Part = string | Buffer

export const noPart = Buffer.alloc(0)

/** An unmasked text frame (RFC 6455, section 5.2) whose text is `head + tail`. */
export interface Frame {
  head: Part
  tail: Part
  /** Of the text, in UTF-8. */
  bytes: number
}

export const frameOf = (head: Part, tail: Part): Frame => ({ head, tail, bytes: bytesOf(head) + bytesOf(tail) })

const bytesOf = (part: Part): number => (typeof part === 'string' ? Buffer.byteLength(part) : part.length)

/** Bytes of a frame on the wire, its header included. */
export const wireBytes = ({ bytes }: Frame): number => bytes + (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10)

/** Lays the frames out one behind the other, from the beginning of `out`. */
export const layOut = (frames: Frame[], out: Buffer): void => {
  let at = 0
  for (const { head, tail, bytes } of frames) {
    at = writeHeader(bytes, out, at)
    at = writePart(head, out, at)
    at = writePart(tail, out, at)
  }
}

const writeHeader = (bytes: number, out: Buffer, at: number): number => {
  out[at] = 0x81 // the last fragment of a text
  if (bytes < 126) {
    out[at + 1] = bytes
    return at + 2
  }
  if (bytes < 65_536) {
    out[at + 1] = 126
    return out.writeUInt16BE(bytes, at + 2)
  }
  out[at + 1] = 127
  return out.writeBigUInt64BE(BigInt(bytes), at + 2)
}

const writePart = (part: Part, out: Buffer, at: number): number => {
  if (typeof part === 'string') return at + out.write(part, at)
  out.set(part, at)
  return at + part.length
}

const slabBytes = 64 * 1024

export interface Slab {
  /** Valid until room is asked for again, unless it is kept. */
  room(bytes: number): Buffer
  /** Somebody holds on to this room. */
  keep(room: Buffer): void
}

/**
 * Room for what is written to sockets. Most of them take everything at once: then the next one gets the same room, and
 * nothing is allocated. For one that does not, no more is held than what waits for it.
 */
export const createSlab = (): Slab => {
  let slab = Buffer.allocUnsafeSlow(slabBytes)
  let used = 0

  return {
    room(bytes) {
      if (bytes > slabBytes / 8) return Buffer.allocUnsafeSlow(bytes)
      if (used + bytes > slabBytes) {
        slab = Buffer.allocUnsafeSlow(slabBytes)
        used = 0
      }
      return slab.subarray(used, used + bytes)
    },
    keep(room) {
      if (room.buffer === slab.buffer) used += room.length
    },
  }
}
