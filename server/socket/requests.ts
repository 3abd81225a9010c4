import { TRPCError } from '@trpc/server'
import { withoutStack } from '../contract/without-stack.ts'
import type { Admission } from './admission.ts'
import type { Answers } from './answers.ts'
import type { Calls } from './calls.ts'
import { closeCodes } from './close-codes.ts'
import type { Closing } from './closing.ts'
import { type Entry, headWithoutId, parseJson, readEntry } from './frames.ts'
import type { SocketLimits } from './limits.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface RequestsOptions {
  limits: Pick<SocketLimits, 'maxBatch' | 'maxJsonDepth'>
  admission: Admission
  calls: Calls
  subscriptions: Subscriptions
  answers: Answers
  closing: Closing
}

/** Reads what a client sends, and hands each entry to whoever it is for. @returns receives the text of a frame */
export const createRequests = (options: RequestsOptions): ((text: string) => void) => {
  const { limits, admission, calls, subscriptions, answers, closing } = options
  const { maxBatch, maxJsonDepth } = limits

  const accept = (entry: Entry) => {
    // An entry before it in the batch may have been the end of the connection.
    if (closing.isOver) return
    if (entry.kind === 'stop') subscriptions.stop(entry.id)
    else if (entry.kind === 'malformed') {
      answers.refuseEntry(entry.head, parseError({ message: entry.message }))
    } else if (admission.rejection) answers.refuse(entry, admission.rejection)
    else if (entry.type === 'subscription') {
      const subscription = subscriptions.open(entry)
      if (subscription) calls.push(entry, subscription)
    } else calls.push(entry)
  }

  return (text) => {
    if (text === 'PING') return answers.text('PONG')
    if (text === 'PONG') return
    if (admission.receive(text)) return

    let frame: unknown
    try {
      frame = withoutStack(() => parseJson(text, maxJsonDepth))
    } catch (cause) {
      return answers.refuseEntry(headWithoutId, parseError({ cause }))
    }
    if (!Array.isArray(frame)) return accept(readEntry(frame, 0))
    if (frame.length > maxBatch) {
      return closing.close(closeCodes.policyViolation, `more than ${maxBatch} calls in a batch`)
    }
    frame.forEach((entry, index) => {
      accept(readEntry(entry, index))
    })
  }
}

const parseError = (why: { message: string } | { cause: unknown }): TRPCError =>
  withoutStack(() => new TRPCError({ code: 'PARSE_ERROR', ...why }))
