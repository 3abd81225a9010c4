import { z } from 'zod'
import type { JsonSchema } from './document.ts'

/** Dates and bigints are texts in a form, marked as what they become on the wire. */
const markRichTypes = ({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: object }) => {
  const { type } = zodSchema._zod.def
  if (type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time', 'x-type': 'date' })
  if (type === 'bigint') Object.assign(jsonSchema, { type: 'string', pattern: '^-?[0-9]+$', 'x-type': 'bigint' })
}

interface StandardJsonSchema {
  '~standard'?: { jsonSchema?: { input(options: { target: string }): object } }
}

const isZod = (parser: unknown): parser is z.core.$ZodType =>
  typeof parser === 'object' && parser !== null && '_zod' in parser

/** What one parser takes; `{}`, which is anything, where it does not say. */
const schemaOf = (parser: unknown): JsonSchema => {
  try {
    if (isZod(parser)) {
      return z.toJSONSchema(parser, { io: 'input', unrepresentable: 'any', override: markRichTypes }) as JsonSchema
    }
    const { jsonSchema } = (parser as StandardJsonSchema)['~standard'] ?? {}
    return (jsonSchema?.input({ target: 'draft-2020-12' }) ?? {}) as JsonSchema
  } catch {
    // A procedure whose input cannot be described can still be called, with raw JSON.
    return {}
  }
}

/** tRPC runs all parsers of a procedure on the same input. */
export const describeInput = (parsers: unknown[]): JsonSchema | null => {
  const [first, ...others] = parsers.map(schemaOf)
  if (first === undefined) return null
  return others.length === 0 ? first : { allOf: [first, ...others] }
}
