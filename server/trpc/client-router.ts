import type { BuiltRouter } from '@trpc/server/unstable-core-do-not-import'
import type { ErrorShape } from './errors.ts'
import type { AppRouter } from './router.ts'

/** The router as a client sees it: inputs, outputs and errors, and nothing of how the server is made. */
export type ParleyRouter = BuiltRouter<
  { ctx: object; meta: object; errorShape: ErrorShape; transformer: true },
  AppRouter['_def']['record']
>
