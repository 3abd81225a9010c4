import type { BuiltRouter } from '@trpc/server/unstable-core-do-not-import'
import type { ErrorShape } from './errors.ts'
import { appRouter } from './router.ts'

/** As a constant of its own, since a declaration spells out its type, without the context that `typeof appRouter` names. */
const procedures = appRouter._def.record

/** The router as a client sees it: inputs, outputs and errors, and nothing of how the server is made. */
export type ParleyRouter = BuiltRouter<
  { ctx: object; meta: object; errorShape: ErrorShape; transformer: true },
  typeof procedures
>
