import { EventEmitter } from 'node:events'
import { WebSocket } from 'ws'
import { closeReason } from './close-codes.ts'

export interface ClosingOptions {
  /** Hands what is queued to the operating system. */
  flush(): void
  /** Nothing is read or sent any more: lets go of all calls, subscriptions and frames. */
  dropWork(): void
  onCut(why: string): void
  onGone(): void
}

export interface Closing {
  /** Nothing is read or sent any more. The closing alone changes it. */
  readonly isOver: boolean
  /** Aborted when the socket is gone. */
  readonly signal: AbortSignal
  /** Sends what is queued, then closes with this code. */
  close(code: number, reason: string): void
  /** Ends the TCP connection at once. */
  cut(why: string): void
}

/** What `abort` gives for a reason by itself. One for all, as making one costs a stack trace. */
export const aborted = new DOMException('This operation was aborted', 'AbortError')

/** How a connection ends: it is open, then closing (a close is under way), then gone; the first may go straight to the last. */
export const createClosing = (ws: WebSocket, options: ClosingOptions): Closing => {
  const { flush, dropWork, onCut, onGone } = options
  let isGone = false
  const gone = new AbortController()
  // Every call in flight may listen.
  EventEmitter.setMaxListeners(0, gone.signal)

  ws.on('close', () => {
    isGone = true
    closing.isOver = true
    dropWork()
    gone.abort(aborted)
    onGone()
  })

  const closing = {
    isOver: false,
    signal: gone.signal,
    close(code: number, reason: string) {
      if (closing.isOver) return
      closing.isOver = true
      dropWork()
      flush()
      ws.close(code, closeReason(reason))
    },
    cut(why: string) {
      if (isGone) return
      if (ws.readyState === WebSocket.OPEN) onCut(why)
      closing.isOver = true
      dropWork()
      ws.terminate()
    },
  }
  return closing
}
