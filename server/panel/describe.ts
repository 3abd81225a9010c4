import type { AnyRouter } from '@trpc/server'
import type { PanelDocument, PanelOptions, ProcedureDescription } from './document.ts'
import { describeInput } from './input-schema.ts'

interface Definition {
  type: ProcedureDescription['kind']
  inputs?: unknown[]
  meta?: unknown
}

/**
 * Reads a tRPC 11 router: whatever it serves is in the document, nested and lazy routers as well.
 * @throws Error where its transformer is neither superjson nor none
 */
export const describeRouter = async (router: AnyRouter, options: PanelOptions): Promise<PanelDocument> => {
  // Loading one removes it from the list, and may add those that it holds.
  for (let [next] = lazyOf(router); next; [next] = lazyOf(router)) await next.load()
  const config = router._def._config
  return {
    ...options,
    transformer: transformerOf(config.transformer.output.serialize),
    pathSeparator: config.pathSeparator ?? '.',
    procedures: Object.entries(router._def.procedures as Record<string, { _def: Definition }>).map(([path, { _def }]) =>
      describe(path, _def),
    ),
  }
}

const lazyOf = (router: AnyRouter) => Object.values(router._def.lazy)

const describe = (path: string, { type, inputs = [], meta }: Definition): ProcedureDescription => {
  const input = describeInput(inputs)
  const { description } = (meta ?? {}) as { description?: unknown }
  return {
    path,
    kind: type,
    description: typeof description === 'string' ? description : (input?.description ?? null),
    input,
  }
}

/** A transformer has no name; what it makes of a date tells. */
const transformerOf = (serialize: (value: unknown) => unknown): PanelDocument['transformer'] => {
  const date = new Date(0)
  const sent = serialize(date)
  if (sent === date) return 'json'
  const asSuperjson = { json: date.toISOString(), meta: { values: ['Date'] } }
  const { json, meta } = (sent ?? {}) as Partial<typeof asSuperjson>
  if (json === asSuperjson.json && meta?.values?.[0] === 'Date') return 'superjson'
  throw new Error('The panel speaks superjson or plain JSON; the transformer of this router is neither.')
}
