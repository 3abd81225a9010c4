import { TRPCError } from '@trpc/server'
import type { ZodType } from 'zod'
import { withoutStack } from '../contract/without-stack.ts'

/** What tRPC hands to a procedure that it calls. */
interface Invocation {
  getRawInput(): Promise<unknown>
  ctx: unknown
  signal: AbortSignal | undefined
  path: string
  type: string
}

interface Definition {
  inputs: ZodType[]
  middlewares: unknown[]
  resolver(opts: { ctx: unknown; input: unknown; signal: AbortSignal | undefined; path: string; type: string }): unknown
}

/**
 * How tRPC runs our procedures: the input's schema, then the resolver, in one step. By itself tRPC makes each of the two
 * a middleware, and copies the call three times between them; with full sockets that was a fifth of the server's time. A
 * procedure with any middleware of its own is left to tRPC.
 */
export const callDirectly = async ({
  args,
  invoke,
  _def,
}: {
  args: unknown[]
  invoke(opts: never): Promise<unknown>
  _def: unknown
}): Promise<unknown> => {
  const [opts] = args as [Invocation]
  const { inputs, middlewares, resolver } = _def as Definition
  const [schema] = inputs
  if (inputs.length > 1 || middlewares.length !== inputs.length + 1) return invoke(opts as never)
  const { ctx, signal, path, type } = opts
  const input = schema ? parse(schema, await opts.getRawInput()) : undefined
  return await resolver({ ctx, input, signal, path, type })
}

const parse = (schema: ZodType, raw: unknown): unknown => {
  const { success, data, error } = withoutStack(() => schema.safeParse(raw))
  if (success) return data
  throw withoutStack(() => new TRPCError({ code: 'BAD_REQUEST', cause: error }))
}
