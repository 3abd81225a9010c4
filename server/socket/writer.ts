import type { Duplex } from 'node:stream'
import { createSlab, type Frame, frameOf, layOut, type Part, type Slab, wireBytes } from './frame-layout.ts'

/** Everything written within one turn of the event loop leaves in one system call per socket. */
export interface Turn {
  readonly slab: Slab
  /** Calls `flush` at the end of this turn. */
  add(flush: () => void): void
}

export const createTurn = (): Turn => {
  let flushes: (() => void)[] = []
  const flushAll = () => {
    const due = flushes
    flushes = []
    for (const flush of due) flush()
  }
  return {
    slab: createSlab(),
    // The end of the turn, not of the tick: what was read from other sockets meanwhile may write to this one too, and a
    // call costs a sixth less.
    add(flush) {
      if (flushes.push(flush) === 1) setImmediate(flushAll)
    },
  }
}

export interface WriterOptions {
  turn: Turn
  /** Unsent bytes from which there is no room. */
  pauseBytes: number
  /** There is room again. */
  onRoom(): void
  /** More than the ceiling of a `send` was unsent already; the peer is to be cut. */
  onOverflow(): void
}

export interface Writer {
  /** Whether more should be produced for this socket. The writer alone changes it. */
  readonly hasRoom: boolean
  /** Queues the frame `head + tail`. @param ceiling unsent bytes above which the peer is cut instead */
  send(head: Part, tail: Part, ceiling: number): void
  /** Hands what is queued to the operating system. */
  flush(): void
  /** Takes nothing more; what is queued still leaves. */
  end(): void
}

/** Frames that one socket may get in one turn before whoever pulls events waits for the next: a generator that never
 *  waits would otherwise keep the process in its microtasks. */
const framesPerTurn = 64

/**
 * Text frames on their way out. They are laid out here and written to the raw socket, as one buffer for all frames of a
 * turn: a delivery costs a fifth less than through `ws`, corked. Only whole frames are written, so the control frames
 * that `ws` writes to the same socket fall between them.
 */
export const createWriter = (socket: Duplex, options: WriterOptions): Writer => {
  const { turn, pauseBytes, onRoom, onOverflow } = options
  let frames: Frame[] = []
  let queuedBytes = 0
  let hasEnded = false

  const onTaken = (error?: Error | null) => {
    if (error || writer.hasRoom || queuedBytes > 0 || socket.writableLength > pauseBytes) return
    writer.hasRoom = true
    onRoom()
  }

  const writer = {
    hasRoom: true,
    send(head: Part, tail: Part, ceiling: number) {
      if (hasEnded) return
      if (queuedBytes + socket.writableLength > ceiling) {
        // What this turn has produced was never offered to the peer; it may well take it.
        writer.flush()
        if (socket.writableLength > ceiling) return onOverflow()
      }
      const frame = frameOf(head, tail)
      if (frames.push(frame) === 1) turn.add(writer.flush)
      queuedBytes += wireBytes(frame)
      if (queuedBytes + socket.writableLength > pauseBytes || frames.length >= framesPerTurn) writer.hasRoom = false
    },
    flush() {
      if (frames.length === 0) return
      const room = turn.slab.room(queuedBytes)
      layOut(frames, room)
      frames = []
      queuedBytes = 0
      if (!socket.writable) return
      if (writer.hasRoom) socket.write(room)
      else socket.write(room, onTaken)
      if (socket.writableLength > 0) turn.slab.keep(room)
    },
    end() {
      hasEnded = true
    },
  }
  return writer
}
