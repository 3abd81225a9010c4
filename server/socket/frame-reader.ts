import { isUtf8 } from 'node:buffer'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

type OnData = (chunk: Buffer) => void

/** First bytes of the frames that are known here; each is a message of its own. */
const wholeText = 0x81
const ping = 0x89
const pong = 0x8a

/** In place of a length: the frame is another one than these or breaks a rule; not enough of it is there to tell. */
const notOurs = -1
const unknown = -2

/** So many bytes of a header tell. */
const headerBytes = 4
const nothing = Buffer.alloc(0)

/**
 * Reads the frames that clients send all day, whole texts, straight from the socket: through the stream that `ws` has
 * for it, one costs four times as much. `ws` gets every other byte and keeps all its duties: it answers pings and
 * closes, joins fragments, and closes with the code that fits whatever is wrong.
 *
 * For that its own listener is taken off the socket, and called with what it should read: pings, pongs, and texts of
 * which only the beginning has come. From the first frame on that is anything else (a fragment, a close, one that is not
 * as it should be) the listener is back on the socket for good, and nothing is read here any more.
 *
 * @param maxBytes the `maxPayload` of `ws`
 * @param onIllFormed called for a binary frame that is not UTF-8; for a text `ws` closes by itself
 */
export const readFrames = (
  socket: Duplex,
  ws: WebSocket,
  maxBytes: number,
  onText: (text: string) => void,
  onIllFormed: () => void,
): void => {
  const listeners = socket.listeners('data') as OnData[]
  let isReading = true
  /** Bytes still to come of a frame that `ws` is to read. */
  let owed = 0
  /** Whether that frame is a text that has not been handed over yet. */
  let isTextDue = false
  /** One to three bytes of a header that `ws` has, and that do not tell how long the frame is. */
  let begun: Buffer | undefined

  const read = (chunk: Buffer) => {
    let at = begun ? handOver(chunk, 0, begun) : pass(chunk, 0)
    while (at < chunk.length && isReading) {
      const length = frameLength(chunk, at, maxBytes)
      if (chunk[at] === wholeText && length > 0 && at + length <= chunk.length) {
        const text = readText(chunk, at, at + length)
        if (text === undefined) return leave(chunk, at)
        at += length
        onText(text)
      } else at = handOver(chunk, at, nothing)
    }
  }

  /** Lets `ws` read the frame of which it has `start`, and the rest stands in the chunk. @returns where that ends */
  const handOver = (chunk: Buffer, at: number, start: Buffer): number => {
    const header = Buffer.concat([start, chunk.subarray(at, at + headerBytes)])
    const length = frameLength(header, 0, maxBytes)
    if (length === notOurs) {
      leave(chunk, at)
      return chunk.length
    }
    const isKnown = length !== unknown
    begun = isKnown ? undefined : header
    isTextDue = isKnown && header[0] === wholeText
    owed = isKnown ? length - start.length : chunk.length - at
    return pass(chunk, at)
  }

  /** Lets `ws` read what it is owed, as far as it has come. @returns where that ends */
  const pass = (chunk: Buffer, at: number): number => {
    if (owed === 0) return at
    const end = Math.min(at + owed, chunk.length)
    owed -= end - at
    for (const listener of listeners) listener.call(socket, chunk.subarray(at, end))
    // It hands over a text as soon as that is whole, unless it has found a fault: then what follows is thrown away.
    if (owed === 0 && isTextDue) stop()
    return end
  }

  /** Leaves all from there on to `ws`. Its listener is on the socket before it reads, as it may take itself off again. */
  const leave = (chunk: Buffer, at: number) => {
    stop()
    for (const listener of listeners) {
      socket.on('data', listener)
      listener.call(socket, chunk.subarray(at))
    }
  }

  const stop = () => {
    isReading = false
    socket.off('data', read)
  }

  ws.on('message', (data: Buffer) => {
    isTextDue = false
    if (isUtf8(data)) onText(data.toString())
    else onIllFormed()
  })
  for (const listener of listeners) socket.off('data', listener)
  socket.on('data', read)
}

/** Of the frame that begins at `at`, with its header (RFC 6455, section 5.2); `notOurs` as soon as `ws` would close. */
const frameLength = (bytes: Buffer, at: number, maxBytes: number): number => {
  const there = bytes.length - at
  if (there < 2) return unknown
  const first = bytes[at]!
  const payload = bytes[at + 1]! & 0x7f
  const isMasked = bytes[at + 1]! >= 0x80
  if (!isMasked) return notOurs
  if (first === ping || first === pong) return payload < 126 ? 6 + payload : notOurs
  // Nor is a text of 64 KiB or more, the only one with the third form of a length.
  if (first !== wholeText || payload === 127) return notOurs
  if (payload < 126) return payload > maxBytes ? notOurs : 6 + payload
  if (there < 4) return unknown
  const longer = bytes.readUInt16BE(at + 2)
  return longer > maxBytes ? notOurs : 8 + longer
}

/** The text of a whole frame, or undefined and the frame as it was: it is not UTF-8. */
const readText = (bytes: Buffer, at: number, end: number): string | undefined => {
  const isShort = (bytes[at + 1]! & 0x7f) < 126
  const from = at + (isShort ? 6 : 8)
  unmask(bytes, from, end)
  const text = bytes.subarray(from, end)
  if (isUtf8(text)) return text.toString()
  unmask(bytes, from, end)
  return undefined
}

/** Applies the mask that stands in front of `from`; a second time takes it away again. */
const unmask = (bytes: Buffer, from: number, end: number) => {
  for (let at = from; at < end; at++) bytes[at]! ^= bytes[from - 4 + ((at - from) & 3)]!
}
