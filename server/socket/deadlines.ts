import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import type { Admission } from './admission.ts'
import type { Answers } from './answers.ts'
import type { Calls } from './calls.ts'
import { closeCodes } from './close-codes.ts'
import type { Closing } from './closing.ts'
import type { Inbox } from './inbox.ts'
import type { SocketLimits } from './limits.ts'
import { createLiveness } from './liveness.ts'
import { createTaking } from './taking.ts'

export interface DeadlinesOptions {
  limits: SocketLimits
  ws: WebSocket
  socket: Duplex & { bytesRead?: number; bytesWritten?: number }
  admission: Admission
  answers: Answers
  calls: Calls
  inbox: Inbox
  closing: Closing
}

export interface Deadlines {
  /** What still comes is not read any more. The deadlines alone change it. */
  readonly isRetired: boolean
  /** Looks at all that is due at `now`. */
  tick(now: number): void
  /** Tells the client at `noticeAt` to move to another server, and closes when it has had the time to. */
  retire(noticeAt: number): void
}

const reconnectNotice = '{"id":null,"method":"reconnect"}'

/** All that a connection does because of the time, by its server's clock. */
export const createDeadlines = (options: DeadlinesOptions): Deadlines => {
  const { limits, ws, socket, admission, answers, calls, inbox, closing } = options
  const lookAlive = createLiveness(limits)
  const takesWhatIsSent = createTaking(socket, limits.takeMs)
  let closingAt: number | undefined
  let noticeAt = Number.POSITIVE_INFINITY
  let retireAt = Number.POSITIVE_INFINITY

  const checkAlive = (now: number) => {
    // Bytes received tell of pongs as of all else. A paused socket receives none: there, taking bytes is a sign of life,
    // and a call that finished gives it another chance.
    let sign = socket.bytesRead ?? now
    if (inbox.isPaused()) sign += (socket.bytesWritten ?? 0) - socket.writableLength + calls.finished
    const verdict = lookAlive(now, sign)
    if (verdict === 'ping') ws.ping()
    else if (verdict === 'dead') closing.cut('it is silent')
  }

  const deadlines = {
    isRetired: false,

    tick(now: number) {
      if (ws.readyState !== WebSocket.OPEN) {
        // Also a peer that ended its side and takes nothing: `ws` sets no timer of its own for that one.
        closingAt ??= now
        if (now - closingAt >= limits.closeWaitMs) ws.terminate()
        return
      }
      const overdue = admission.overdue(now)
      if (overdue) return closing.close(overdue.code, overdue.reason)
      if (now >= noticeAt) {
        noticeAt = Number.POSITIVE_INFINITY
        retireAt = now + limits.handOffMs
        answers.text(reconnectNotice)
      }
      if (now >= retireAt) {
        // Whoever goes on asking would never be idle.
        deadlines.isRetired = true
        if (calls.isIdle()) return closing.close(closeCodes.restarting, 'restarting')
      }
      if (!takesWhatIsSent(now)) return closing.cut('it takes nothing')
      checkAlive(now)
    },

    retire(at: number) {
      noticeAt = at
    },
  }
  return deadlines
}
