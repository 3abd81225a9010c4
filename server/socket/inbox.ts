import type { WebSocket } from 'ws'
import { maxHeldFrames } from './limits.ts'

export interface InboxOptions {
  mayRead(): boolean
  onText(text: string): void
  /** More frames wait than a chunk of real calls can hold. */
  onFlood(): void
}

/** Frames on their way in. While they may not be read, the socket is paused, and what was read of it already waits. */
export class Inbox {
  readonly #ws: WebSocket
  readonly #options: InboxOptions
  /** While there are any, the socket is paused. */
  #held: string[] = []

  constructor(ws: WebSocket, options: InboxOptions) {
    this.#ws = ws
    this.#options = options
  }

  get paused(): boolean {
    return this.#held.length > 0
  }

  take(text: string) {
    if (!this.paused && this.#options.mayRead()) this.#options.onText(text)
    // Every frame of a chunk is handed over, whether paused or not.
    else if (this.#held.length >= maxHeldFrames) this.#options.onFlood()
    else if (this.#held.push(text) === 1) this.#ws.pause()
  }

  /** Goes on, as far as frames may be read again. */
  readOn() {
    if (!this.paused) return
    while (this.paused && this.#options.mayRead()) this.#options.onText(this.#held.shift()!)
    if (!this.paused) this.#ws.resume()
  }

  /** Throws away what waits, and reads on, as a close must be read to be answered. */
  discard() {
    this.#held = []
    this.#ws.resume()
  }
}
