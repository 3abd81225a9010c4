import { ChatError } from '../../server/contract/errors.ts'
import { type CallName, type CallOptions, callKinds, isRepeatable } from './calls.ts'
import { fromErrorShape } from './errors.ts'
import { type Answer, writeRequest } from './wire.ts'

/** Calls that wait for a connection or an answer; more are refused. */
const waitingMax = 1_000

interface PendingCall {
  name: CallName
  input: unknown
  sent: boolean
  /** The session ended under it once; it is tried again with a new one, once. */
  renewed: boolean
  resolve(data: unknown): void
  reject(error: ChatError | DOMException): void
}

/** The calls without an answer yet. Those that a repeat cannot harm are sent again after a lost connection. */
export const createPendingCalls = (nextId: () => number, send: (text: string) => void) => {
  const calls = new Map<number, PendingCall>()

  let onIdle: (() => void) | null = null

  const goIfIdle = () => {
    if ([...calls.values()].some(({ sent }) => sent)) return
    onIdle?.()
    onIdle = null
  }

  const dispatch = (id: number, call: PendingCall) => {
    call.sent = true
    send(writeRequest(id, callKinds[call.name], call.name, call.input))
  }

  return {
    add(name: CallName, input: unknown, isLive: boolean, { signal, timeoutMs }: CallOptions & { timeoutMs: number }) {
      return new Promise<unknown>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        if (calls.size >= waitingMax) {
          return reject(
            new ChatError('rateLimited', { message: 'Too many calls wait for an answer', retryAfterMs: 1_000 }),
          )
        }
        const id = nextId()
        const done = () => {
          calls.delete(id)
          if (onIdle) goIfIdle()
          clearTimeout(timer)
          signal?.removeEventListener('abort', onAbort)
        }
        const onAbort = () => call.reject(signal?.reason)
        const call: PendingCall = {
          name,
          input,
          sent: false,
          renewed: false,
          resolve: (data) => {
            done()
            resolve(data)
          },
          reject: (error) => {
            done()
            reject(error)
          },
        }
        const timer = setTimeout(() => call.reject(new ChatError('timedOut')), timeoutMs)
        signal?.addEventListener('abort', onAbort)
        calls.set(id, call)
        if (isLive) dispatch(id, call)
      })
    },
    /** @returns whether the call waits for a new session now. */
    answer(answer: Extract<Answer, { id: number }>): boolean {
      const call = calls.get(answer.id)
      if (!call) return false
      if (answer.type === 'data') call.resolve(answer.data)
      if (answer.type !== 'error') return false
      const error = fromErrorShape(answer.error)
      if (error.kind === 'sessionEnded' && !call.renewed) {
        call.renewed = true
        call.sent = false
        return true
      }
      call.reject(error)
      return false
    },
    /** Calls back when no sent call lacks its answer. */
    whenIdle(go: () => void) {
      onIdle = go
      goIfIdle()
    },
    /** The connection stands. */
    sendAll() {
      onIdle = null
      for (const [id, call] of calls) dispatch(id, call)
    },
    /** The connection is gone. */
    lost(error: ChatError, retry: boolean) {
      for (const call of [...calls.values()]) {
        if (retry && (!call.sent || isRepeatable(call.name, call.input))) call.sent = false
        else call.reject(call.sent && retry ? new ChatError('connectionLost', { cause: error }) : error)
      }
    },
  }
}
