import type { WebSocket } from 'ws'
import { maxHeldFrames } from './limits.ts'

export interface InboxOptions {
  mayRead(): boolean
  onText(text: string): void
  /** More frames wait than a chunk of real calls can hold. */
  onFlood(): void
}

export interface Inbox {
  isPaused(): boolean
  /** A frame has come. */
  receive(text: string): void
  /** Goes on, as far as frames may be read again. */
  readOn(): void
  /** Throws away what waits, and reads on, as a close must be read to be answered. */
  discard(): void
}

/** Frames on their way in. While they may not be read, the socket is paused, and what was read of it already waits. */
export const createInbox = (ws: WebSocket, options: InboxOptions): Inbox => {
  const { mayRead, onText, onFlood } = options
  /** While there are any, the socket is paused. */
  let held: string[] = []

  return {
    isPaused: () => held.length > 0,
    receive(text) {
      if (held.length === 0 && mayRead()) onText(text)
      // Every frame of a chunk is handed over, whether paused or not.
      else if (held.length >= maxHeldFrames) onFlood()
      else if (held.push(text) === 1) ws.pause()
    },
    readOn() {
      if (held.length === 0) return
      while (held.length > 0 && mayRead()) onText(held.shift()!)
      if (held.length === 0) ws.resume()
    },
    discard() {
      held = []
      ws.resume()
    },
  }
}
