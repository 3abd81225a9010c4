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
 * The frames that clients send all day, whole texts, are read here, straight from the socket: through the stream that
 * `ws` has for it, one costs four times as much. `ws` gets every other byte and keeps all its duties: it answers pings and
 * closes, joins fragments, and closes with the code that fits whatever is wrong.
 *
 * For that its own listener is taken off the socket, and called with what it should read: pings, pongs, and texts of
 * which only the beginning has come. From the first frame on that is anything else (a fragment, a close, one that is not
 * as it should be) the listener is back on the socket for good, and nothing is read here any more.
 */
export class FrameReader {
  readonly #socket: Duplex
  readonly #maxBytes: number
  readonly #onText: (text: string) => void
  readonly #listeners: OnData[]
  #reading = true
  /** Bytes still to come of a frame that `ws` is to read. */
  #owed = 0
  /** Whether that frame is a text, not handed over yet. */
  #textDue = false
  /** One to three bytes of a header that `ws` has, and that do not tell how long the frame is. */
  #begun: Buffer | undefined

  /** @param maxBytes the `maxPayload` of `ws` */
  constructor(socket: Duplex, ws: WebSocket, maxBytes: number, onText: (text: string) => void) {
    this.#socket = socket
    this.#maxBytes = maxBytes
    this.#onText = onText
    ws.on('message', (data: Buffer) => {
      this.#textDue = false
      onText(data.toString())
    })
    this.#listeners = socket.listeners('data') as OnData[]
    for (const listener of this.#listeners) socket.off('data', listener)
    socket.on('data', this.#read)
  }

  readonly #read = (chunk: Buffer) => {
    let at = this.#begun ? this.#handOver(chunk, 0, this.#begun) : this.#give(chunk, 0)
    while (at < chunk.length && this.#reading) {
      const length = frameLength(chunk, at, this.#maxBytes)
      if (chunk[at] === wholeText && length > 0 && at + length <= chunk.length) {
        const text = readText(chunk, at, at + length)
        if (text === undefined) return this.#leave(chunk, at)
        at += length
        this.#onText(text)
      } else at = this.#handOver(chunk, at, nothing)
    }
  }

  /** Lets `ws` read the frame of which it has `begun`, and the rest stands in the chunk. @returns where that ends */
  #handOver(chunk: Buffer, at: number, begun: Buffer): number {
    const header = Buffer.concat([begun, chunk.subarray(at, at + headerBytes)])
    const length = frameLength(header, 0, this.#maxBytes)
    if (length === notOurs) {
      this.#leave(chunk, at)
      return chunk.length
    }
    const isKnown = length !== unknown
    this.#begun = isKnown ? undefined : header
    this.#textDue = isKnown && header[0] === wholeText
    this.#owed = isKnown ? length - begun.length : chunk.length - at
    return this.#give(chunk, at)
  }

  /** Lets `ws` read what it is owed, as far as it has come. @returns where that ends */
  #give(chunk: Buffer, at: number): number {
    if (this.#owed === 0) return at
    const end = Math.min(at + this.#owed, chunk.length)
    this.#owed -= end - at
    for (const listener of this.#listeners) listener.call(this.#socket, chunk.subarray(at, end))
    // It hands over a text as soon as that is whole, unless it has found a fault: then what follows is thrown away.
    if (this.#owed === 0 && this.#textDue) this.#stop()
    return end
  }

  /** Leaves all from there on to `ws`. Its listener is on the socket before it reads, as it may take itself off again. */
  #leave(chunk: Buffer, at: number) {
    this.#stop()
    for (const listener of this.#listeners) {
      this.#socket.on('data', listener)
      listener.call(this.#socket, chunk.subarray(at))
    }
  }

  #stop() {
    this.#reading = false
    this.#socket.off('data', this.#read)
  }
}

/** Of the frame that begins at `at`, with its header (RFC 6455, section 5.2); `notOurs` as soon as `ws` would close. */
function frameLength(bytes: Buffer, at: number, maxBytes: number): number {
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
function readText(bytes: Buffer, at: number, end: number): string | undefined {
  const isShort = (bytes[at + 1]! & 0x7f) < 126
  const from = at + (isShort ? 6 : 8)
  unmask(bytes, from, end)
  const text = bytes.subarray(from, end)
  if (isUtf8(text)) return text.toString()
  unmask(bytes, from, end)
  return undefined
}

/** Applies the mask that stands in front of `from`; a second time takes it away again. */
function unmask(bytes: Buffer, from: number, end: number) {
  for (let at = from; at < end; at++) bytes[at]! ^= bytes[from - 4 + ((at - from) & 3)]!
}
