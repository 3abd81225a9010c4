import { initTRPC } from '@trpc/server'
import { ChatError } from '../contract/index.ts'
import { withoutStack } from '../contract/without-stack.ts'
import type { Caller, Context } from './context.ts'
import { callDirectly } from './direct-caller.ts'
import { formatError } from './errors.ts'
import { transformer } from './transformer.ts'

/** What a procedure says of itself, for whoever lists them. */
export interface Meta {
  description: string
}

const t = initTRPC
  .context<Context>()
  .meta<Meta>()
  .create({
    transformer,
    errorFormatter: formatError,
    isDev: false,
    // The SDK takes a stream for dead after 13 s of silence; tRPC's own client is told when it should.
    sse: { ping: { enabled: true, intervalMs: 8_000 }, client: { reconnectAfterInactivityMs: 20_000 } },
  })

export const router = t.router

// The type of a procedure with a caller of its own is that of a function in the application, which ours are not.
export const procedure = t.procedure.experimental_caller(callDirectly) as unknown as typeof t.procedure

/**
 * Who is calling: the only source of names that the rules are asked in. Not a middleware, since each of those costs a call
 * as much as all of zod; a test asks every procedure without a session.
 * @throws ChatError `notSignedIn`
 */
export const callerOf = ({ caller }: Context): Caller => {
  if (!caller) throw withoutStack(() => new ChatError('notSignedIn'))
  return caller
}
