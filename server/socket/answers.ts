import { getTRPCErrorFromUnknown, TRPCError } from '@trpc/server'
import { isObservable } from '@trpc/server/observable'
import { isAsyncIterable } from '@trpc/server/unstable-core-do-not-import'
import { withoutStack } from '../contract/without-stack.ts'
import { noPart } from './frame-layout.ts'
import type { Call } from './frames.ts'
import type { ErrorInfo, Replies } from './replies.ts'
import type { Writer } from './writer.ts'

export interface AnswersOptions {
  /** Unsent bytes above which one more answer cuts the socket. */
  cutBytes: number
  replies: Replies
  writer: Writer
  /** The connection's context, for who formats errors. */
  admission: { readonly ctx: unknown }
  onError(info: ErrorInfo): void
  /** Runs it, and counts what it takes of the loop. */
  work(run: () => void): void
}

/** What a connection says to its client, besides the events of subscriptions. */
export interface Answers {
  /** A frame as it is. */
  text(text: string): void
  /** @throws whatever serialising the result throws */
  answer(call: Call, result: unknown): void
  /** Reports what a call threw, and answers it with that. */
  fail(call: Call, cause: unknown): void
  /** Reports an error; nobody is told. Without a call it is one of the connection. */
  report(call: Call | undefined, cause: unknown): TRPCError
  /** Answers a call with an error that was reported before. */
  refuse(call: Call, error: TRPCError): void
  /** Answers what is no call; `head` names the id, if there was one. */
  refuseEntry(head: string, error: TRPCError): void
}

export const createAnswers = (options: AnswersOptions): Answers => {
  const { cutBytes, replies, writer, admission, onError, work } = options
  const answers: Answers = {
    text(text) {
      writer.send(text, noPart, cutBytes)
    },
    answer(call, result) {
      if (isAsyncIterable(result) || isObservable(result)) {
        const message = `Cannot return an async iterable or observable from a ${call.type} procedure with WebSockets`
        throw new TRPCError({ code: 'UNSUPPORTED_MEDIA_TYPE', message })
      }
      work(() => answers.text(call.head + replies.data(result)))
    },
    fail(call, cause) {
      answers.refuse(call, answers.report(call, cause))
    },
    report(call, cause) {
      const error = withoutStack(() => getTRPCErrorFromUnknown(cause))
      onError(infoOf(call, error, admission.ctx))
      return error
    },
    refuse(call, error) {
      answers.text(call.head + replies.error(infoOf(call, error, admission.ctx)))
    },
    refuseEntry(head, error) {
      answers.text(head + replies.error(infoOf(undefined, error, admission.ctx)))
    },
  }
  return answers
}

const noCall = { type: 'unknown', path: undefined, input: undefined } as const

const infoOf = (call: Call | undefined, error: TRPCError, ctx: unknown): ErrorInfo => {
  const { type, path, input } = call ?? noCall
  return { error, type, path, input, ctx }
}
