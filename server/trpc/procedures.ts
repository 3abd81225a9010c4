import { initTRPC } from '@trpc/server'
import superjson from 'superjson'
import { ChatError } from '../contract/index.ts'
import type { Context } from './context.ts'
import { formatError } from './errors.ts'

/** What a procedure says of itself, for whoever lists them. */
export interface Meta {
  description: string
}

const t = initTRPC
  .context<Context>()
  .meta<Meta>()
  .create({
    transformer: superjson,
    errorFormatter: formatError,
    isDev: false,
    // Proxies cut quiet streams after a minute, most of them; the client notices a dead one by the missing pings.
    sse: { ping: { enabled: true, intervalMs: 15_000 }, client: { reconnectAfterInactivityMs: 40_000 } },
  })

export const router = t.router

/** For everybody. */
export const open = t.procedure

/** For whoever is signed in. */
export const signedIn = t.procedure.use(({ ctx, next }) => {
  if (!ctx.caller) throw new ChatError('notSignedIn')
  return next({ ctx: { caller: ctx.caller } })
})
