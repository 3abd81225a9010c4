import { callTRPCProcedure, TRPCError } from '@trpc/server'
import type { AnyProcedure, AnyRouter } from '@trpc/server/unstable-core-do-not-import'
import type { Answers } from './answers.ts'
import { type Call, isObject } from './frames.ts'
import type { Subscription } from './subscription.ts'
import type { Writer } from './writer.ts'

export interface CallsOptions {
  router: AnyRouter
  limits: { callsInFlight: number; callsQueued: number }
  writer: Writer
  answers: Answers
  /** Aborted when the socket is gone; the signal of queries and mutations. */
  closed: AbortSignal
  /** A call has finished; the queue has room for more. */
  onFinished(): void
}

export interface Calls {
  /** How many have ever finished: a sign of life of a socket that is not being read. The calls alone change it. */
  readonly finished: number
  isFull(): boolean
  isIdle(): boolean
  /** A subscription is a call until its procedure has returned the stream. */
  push(call: Call, subscription?: Subscription): void
  /** From now on calls run. */
  open(ctx: unknown): void
  /** Takes away the calls that have not started. */
  clear(): Call[]
  /** Starts what may start. */
  pump(): void
}

/** The calls of one connection: so many run at once, in the order of their arrival, while the socket takes the answers. */
export const createCalls = (options: CallsOptions): Calls => {
  const { router, limits, writer, answers, closed, onFinished } = options
  let queue: { call: Call; subscription: Subscription | undefined }[] = []
  let inFlight = 0
  let context: { ctx: unknown } | undefined

  const run = async (call: Call, subscription: Subscription | undefined, ctx: unknown) => {
    try {
      if (subscription?.ended) return subscription.begin(undefined)
      call.input = readInput(call, router)
      const result: unknown = await callProcedure({
        router,
        path: call.path,
        type: call.type,
        ctx,
        getRawInput: () => Promise.resolve(call.input),
        signal: subscription ? subscription.signal : closed,
        batchIndex: call.batchIndex,
      })
      if (subscription) subscription.begin(result)
      else answers.answer(call, result)
    } catch (cause) {
      if (subscription) subscription.fail(cause)
      else answers.fail(call, cause)
    } finally {
      inFlight--
      calls.finished++
      calls.pump()
      onFinished()
    }
  }

  const calls = {
    finished: 0,
    isFull: () => queue.length >= limits.callsQueued,
    isIdle: () => inFlight === 0 && queue.length === 0,
    push(call: Call, subscription?: Subscription) {
      queue.push({ call, subscription })
      calls.pump()
    },
    open(ctx: unknown) {
      context = { ctx }
      calls.pump()
    },
    clear() {
      const waiting = queue.map(({ call }) => call)
      queue = []
      return waiting
    },
    pump() {
      if (context === undefined) return
      const { ctx } = context
      while (queue.length > 0 && inFlight < limits.callsInFlight && writer.hasRoom) {
        const { call, subscription } = queue.shift()!
        inFlight++
        void run(call, subscription, ctx)
      }
    },
  }
  return calls
}

/** tRPC waits twice for each look at its procedures, as some may have to be loaded first. Most are there. */
const callProcedure = (opts: Parameters<typeof callTRPCProcedure>[0]): Promise<unknown> => {
  const procedure: AnyProcedure | undefined = opts.router._def.procedures[opts.path]
  return procedure?._def.type === opts.type ? procedure(opts) : callTRPCProcedure(opts)
}

/** The procedure's input, with the `lastEventId` of a resumed subscription merged in as tRPC does. */
const readInput = ({ input, lastEventId }: Call, router: AnyRouter): unknown => {
  // superjson cannot deserialise the absence of an input.
  const own = input === undefined ? undefined : deserialize(input, router)
  if (lastEventId === undefined) return own
  if (isObject(own)) return { ...own, lastEventId }
  return own ?? { lastEventId }
}

const deserialize = (input: unknown, router: AnyRouter): unknown => {
  try {
    return router._def._config.transformer.input.deserialize(input)
  } catch (cause) {
    throw new TRPCError({ code: 'PARSE_ERROR', cause })
  }
}
