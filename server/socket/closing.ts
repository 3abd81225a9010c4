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
  /** Whether nothing is read or sent any more. */
  isOver(): boolean
  /** Aborted when the socket is gone. */
  signal(): AbortSignal
  /** Sends what is queued, then closes with this code. */
  close(code: number, reason: string): void
  /** Ends the TCP connection at once. */
  cut(why: string): void
}

/** How a connection ends: it is open, then closing (a close is under way), then gone; the first may go straight to the last. */
export const createClosing = (ws: WebSocket, { flush, dropWork, onCut, onGone }: ClosingOptions): Closing => {
  let phase: 'open' | 'closing' | 'gone' = 'open'
  /** Made when somebody asks for it: an idle connection would hold it for nothing. */
  let controller: AbortController | undefined
  const isOver = () => phase !== 'open'

  ws.on('close', () => {
    phase = 'gone'
    dropWork()
    controller?.abort()
    onGone()
  })

  return {
    isOver,
    signal() {
      if (controller === undefined) {
        controller = new AbortController()
        // Every call in flight may listen.
        EventEmitter.setMaxListeners(0, controller.signal)
        if (phase === 'gone') controller.abort()
      }
      return controller.signal
    },
    close(code, reason) {
      if (isOver()) return
      phase = 'closing'
      dropWork()
      flush()
      ws.close(code, closeReason(reason))
    },
    cut(why) {
      if (phase === 'gone') return
      if (ws.readyState === WebSocket.OPEN) onCut(why)
      phase = 'closing'
      dropWork()
      ws.terminate()
    },
  }
}
