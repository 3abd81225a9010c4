import { ChatError } from '../../../server/contract/chat-error.ts'
import { fromErrorShape } from '../connection/errors.ts'
import type { Lost } from '../connection/machine.ts'
import { type Answer, writeRequest } from '../connection/protocol.ts'
import { timerMaxMs } from '../connection/sleep.ts'
import { type CallName, type CallOptions, callKinds, completeInput, isRepeatable } from './calls.ts'

/** Calls that wait for a connection or an answer; more are refused. */
const waitingMax = 1_000

interface CallInFlight {
  frame: string
  isRepeatable: boolean
  as: string | undefined
  sent: boolean
  resolve(data: unknown): void
  reject(error: unknown): void
}

/** The calls without an answer yet. Those that a repeat cannot harm are sent again after a lost connection. */
export const createCallsInFlight = (
  nextId: () => number,
  send: (text: string, isRisky: boolean, as: string | undefined) => boolean,
  defaultTimeoutMs: number,
) => {
  const calls = new Map<number, CallInFlight>()
  let onIdle: (() => void) | null = null
  /** Why there is no connection, after one was lost or could not be opened. */
  let lastLoss: ChatError | null = null

  const timedOut = ({ sent }: CallInFlight) => {
    if (sent || !lastLoss) return new ChatError('timedOut')
    return new ChatError('timedOut', { message: `No connection in time: ${lastLoss.message}`, cause: lastLoss })
  }

  const goIfIdle = () => {
    if ([...calls.values()].some(({ sent }) => sent)) return
    onIdle?.()
    onIdle = null
  }

  /** What cannot be sent yet is held. */
  const sendOrHold = (call: CallInFlight) => {
    try {
      call.sent ||= send(call.frame, !call.isRepeatable, call.as)
    } catch (error) {
      call.reject(error)
    }
  }

  const add = (name: CallName, input: unknown, { signal, timeoutMs = defaultTimeoutMs, as }: CallOptions = {}) =>
    new Promise<unknown>((resolve, reject) => {
      signal?.throwIfAborted()
      if (calls.size >= waitingMax) {
        throw new ChatError('rateLimited', { message: 'Too many calls wait for an answer', retryAfterMs: 1_000 })
      }
      const id = nextId()
      const frame = writeRequest(id, callKinds[name], name, completeInput(name, input))
      const done = () => {
        calls.delete(id)
        if (onIdle) goIfIdle()
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
      }
      const call: CallInFlight = {
        frame,
        isRepeatable: isRepeatable(name),
        as,
        sent: false,
        resolve(data) {
          done()
          resolve(data)
        },
        reject(error) {
          done()
          reject(error)
        },
      }
      const onAbort = () => call.reject(signal?.reason)
      const timer = setTimeout(() => call.reject(timedOut(call)), Math.min(timeoutMs, timerMaxMs))
      signal?.addEventListener('abort', onAbort)
      calls.set(id, call)
      sendOrHold(call)
    })

  return {
    add,
    answer(answer: Answer) {
      const call = calls.get(answer.id)
      if (answer.type === 'data') call?.resolve(answer.data)
      if (answer.type === 'error') call?.reject(fromErrorShape(answer.error))
    },
    /** Calls back when no sent call lacks its answer. */
    whenIdle(go: () => void) {
      onIdle = go
      goIfIdle()
    },
    /** There is a connection again, or more is known of it. */
    sendHeld() {
      lastLoss = null
      for (const call of calls.values()) sendOrHold(call)
    },
    lost({ error, loss }: Lost) {
      onIdle = null
      lastLoss = error
      for (const call of [...calls.values()]) {
        if (loss === 'forGood') call.reject(error)
        else if (!call.sent || loss === 'notDone' || (loss === 'maybeDone' && call.isRepeatable)) call.sent = false
        else call.reject(loss === 'atFault' ? error : new ChatError('connectionLost', { cause: error }))
      }
    },
  }
}
