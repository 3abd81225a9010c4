import { ChatError } from '../../../server/contract/chat-error.ts'
import type { limits } from '../../../server/contract/limits.ts'
import { abortReason, onAbort, throwIfAborted } from '../connection/abort.ts'
import type { Connection } from '../connection/connection.ts'
import { fromErrorShape } from '../connection/errors.ts'
import type { Lost } from '../connection/machine.ts'
import { type Answer, writeRequest } from '../connection/protocol.ts'
import { timerMaxMs } from '../connection/sleep.ts'
import { type CallName, type CallOptions, callKinds, completeInput, type Inputs, isRepeatable } from './calls.ts'

/** Calls that wait for a connection or an answer; more are refused. */
const waitingMax = 1_000
/** What an answer may take after the server has read the call. */
const answerMs = 5_000
/** Messages of a page. One that was lost on its way is asked for anew with a quarter of them; the next are larger again. */
const pageMost: typeof limits.pageMax = 100
const pageLeast = 4

interface CallInFlight {
  name: CallName
  write(): string
  isRepeatable: boolean
  as: string | undefined
  sent: boolean
  /** Its time is over, and its answer may be on its way still. */
  isLate: boolean
  resolve(data: unknown): void
  reject(error: unknown): void
}

/** The calls without an answer yet. Those that a repeat cannot harm are sent again after a lost connection. */
export const createCallsInFlight = (
  nextId: () => number,
  { send, whenRead }: Pick<Connection, 'send' | 'whenRead'>,
  defaultTimeoutMs: number,
) => {
  const calls = new Map<number, CallInFlight>()
  let pageMax: number = pageMost
  let onIdle: (() => void) | null = null
  /** Why there is no connection, after one was lost or could not be opened. */
  let lastLoss: ChatError | null = null

  const bounded = (name: CallName, input: unknown) => {
    if (name !== 'history' || pageMax === pageMost) return input
    const history = input as Inputs['history']
    return { ...history, limit: Math.min(history.limit ?? pageMost, pageMax) }
  }

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
      call.sent ||= send(call.write(), !call.isRepeatable, call.as)
    } catch (error) {
      call.reject(error)
    }
  }

  const add = (name: CallName, input: unknown, { signal, timeoutMs, as }: CallOptions = {}) =>
    new Promise<unknown>((resolve, reject) => {
      throwIfAborted(signal)
      if (calls.size >= waitingMax) {
        throw new ChatError('rateLimited', { message: 'Too many calls wait for an answer', retryAfterMs: 1_000 })
      }
      const id = nextId()
      const complete = completeInput(name, input)
      const write = () => writeRequest(id, callKinds[name], name, bounded(name, complete))
      const done = () => {
        calls.delete(id)
        if (onIdle) goIfIdle()
        clearTimeout(timer)
        unlisten()
      }
      const call: CallInFlight = {
        name,
        write,
        isRepeatable: isRepeatable(name),
        as,
        sent: false,
        isLate: false,
        resolve(data) {
          done()
          if (name === 'history') pageMax = Math.min(pageMax * 2, pageMost)
          resolve(data)
        },
        reject(error) {
          done()
          reject(error)
        },
      }
      const expire = () => call.reject(timedOut(call))
      const onTime = () => {
        if (timeoutMs !== undefined || !call.sent) return expire()
        call.isLate = true
        whenRead(() => {
          if (calls.has(id)) timer = setTimeout(expire, answerMs)
        })
      }
      let timer = setTimeout(onTime, Math.min(timeoutMs ?? defaultTimeoutMs, timerMaxMs))
      const unlisten = onAbort(signal, () => call.reject(abortReason(signal as AbortSignal)))
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
      const isPageLost = [...calls.values()].some(({ name, sent }) => name === 'history' && sent)
      if (isPageLost) pageMax = Math.max(pageMax >> 2, pageLeast)
      for (const call of [...calls.values()]) {
        if (loss === 'forGood') call.reject(error)
        else if (call.isLate) call.reject(timedOut(call))
        else if (!call.sent || loss === 'notDone' || (loss === 'maybeDone' && call.isRepeatable)) call.sent = false
        else call.reject(loss === 'atFault' ? error : new ChatError('connectionLost', { cause: error }))
      }
    },
  }
}
