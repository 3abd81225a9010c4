import { callTRPCProcedure, TRPCError } from '@trpc/server'
import type { AnyProcedure, AnyRouter } from '@trpc/server/unstable-core-do-not-import'
import { type Call, isObject } from './frames.ts'
import type { Subscription } from './subscription.ts'

export interface CallsHost {
  readonly router: AnyRouter
  readonly limits: { callsInFlight: number; callsQueued: number }
  readonly hasRoom: boolean
  /** Aborted when the socket is gone; the signal of queries and mutations. */
  readonly closed: AbortSignal
  answer(call: Call, result: unknown): void
  fail(call: Call, cause: unknown): void
  /** A call has finished; the queue has room for more. */
  onCallFinished(): void
}

/** The calls of one connection: so many run at once, in the order of their arrival, while the socket takes the answers. */
export class Calls {
  readonly #host: CallsHost
  #queue: { call: Call; subscription: Subscription | undefined }[] = []
  #context: { ctx: unknown } | undefined
  inFlight = 0
  /** How many have finished ever: a sign of life of a socket that is not being read. */
  finished = 0

  constructor(host: CallsHost) {
    this.#host = host
  }

  get full(): boolean {
    return this.#queue.length >= this.#host.limits.callsQueued
  }

  get idle(): boolean {
    return this.inFlight === 0 && this.#queue.length === 0
  }

  /** A subscription is a call until its procedure has returned the stream. */
  push(call: Call, subscription?: Subscription) {
    this.#queue.push({ call, subscription })
    this.pump()
  }

  /** From now on calls run. */
  open(ctx: unknown) {
    this.#context = { ctx }
    this.pump()
  }

  /** Takes away the calls that have not started. */
  clear(): Call[] {
    const waiting = this.#queue.map(({ call }) => call)
    this.#queue = []
    return waiting
  }

  /** Starts what may start. */
  pump() {
    if (this.#context === undefined) return
    const { ctx } = this.#context
    while (this.#queue.length > 0 && this.inFlight < this.#host.limits.callsInFlight && this.#host.hasRoom) {
      const { call, subscription } = this.#queue.shift()!
      this.inFlight++
      void this.#run(call, subscription, ctx)
    }
  }

  async #run(call: Call, subscription: Subscription | undefined, ctx: unknown) {
    const { router } = this.#host
    try {
      if (subscription?.ended) return subscription.begin(undefined)
      call.input = readInput(call, router)
      const result: unknown = await callProcedure({
        router,
        path: call.path,
        type: call.type,
        ctx,
        getRawInput: () => Promise.resolve(call.input),
        signal: subscription ? subscription.signal : this.#host.closed,
        batchIndex: call.batchIndex,
      })
      if (subscription) subscription.begin(result)
      else this.#host.answer(call, result)
    } catch (cause) {
      if (subscription) subscription.fail(cause)
      else this.#host.fail(call, cause)
    } finally {
      this.inFlight--
      this.finished++
      this.pump()
      this.#host.onCallFinished()
    }
  }
}

/** tRPC waits twice for each look at its procedures, as some may have to be loaded first. Most are there. */
function callProcedure(opts: Parameters<typeof callTRPCProcedure>[0]): Promise<unknown> {
  const procedure: AnyProcedure | undefined = opts.router._def.procedures[opts.path]
  return procedure?._def.type === opts.type ? procedure(opts) : callTRPCProcedure(opts)
}

/** The procedure's input, with the `lastEventId` of a resumed subscription merged in as tRPC does. */
function readInput({ input, lastEventId }: Call, router: AnyRouter): unknown {
  // superjson cannot deserialise the absence of an input.
  const own = input === undefined ? undefined : deserialize(input, router)
  if (lastEventId === undefined) return own
  if (isObject(own)) return { ...own, lastEventId }
  return own ?? { lastEventId }
}

function deserialize(input: unknown, router: AnyRouter): unknown {
  try {
    return router._def._config.transformer.input.deserialize(input)
  } catch (cause) {
    throw new TRPCError({ code: 'PARSE_ERROR', cause })
  }
}
