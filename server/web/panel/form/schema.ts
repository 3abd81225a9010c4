import type { JsonSchema } from '../../../panel/document.ts'
import { isObject, type Json, type JsonObject, own } from '../json.ts'

/** What a form makes of a schema. */
export type Shape =
  | { kind: 'constant'; value: Json }
  | { kind: 'choice'; options: Json[] }
  | { kind: 'boolean' }
  | { kind: 'text' }
  | { kind: 'number' }
  | { kind: 'date' }
  | { kind: 'object'; properties: Record<string, JsonSchema>; required: string[] }
  | { kind: 'list'; items: JsonSchema }
  | { kind: 'tuple'; items: JsonSchema[] }
  | { kind: 'record'; values: JsonSchema }
  | { kind: 'nullable'; inner: JsonSchema }
  | { kind: 'union'; variants: JsonSchema[] }
  /** Nothing is known, or nothing that a form could show: raw JSON. */
  | { kind: 'json' }

/** A schema as it stands in a document whose definitions its references name. */
export interface Placed {
  schema: JsonSchema
  root: JsonSchema
}

/** Follows references and joins what `allOf` divides. Loops are no danger, as each step is one that a form takes. */
export const resolve = ({ schema, root }: Placed): JsonSchema => {
  const { $ref, allOf, ...own } = schema
  if ($ref !== undefined) return { ...resolve({ schema: definitionOf($ref, root), root }), ...own }
  if (allOf === undefined) return schema
  return allOf.map((part) => resolve({ schema: part, root })).reduce(join, own)
}

const definitionOf = (ref: string, root: JsonSchema): JsonSchema => {
  if (ref === '#') return root
  const name = /^#\/\$defs\/(.+)$/.exec(ref)?.[1]
  return (name !== undefined && root.$defs?.[decodeURIComponent(name)]) || {}
}

const join = (a: JsonSchema, b: JsonSchema): JsonSchema => ({
  ...a,
  ...b,
  ...((a.properties || b.properties) && { properties: { ...a.properties, ...b.properties } }),
  ...((a.required || b.required) && { required: [...new Set([...(a.required ?? []), ...(b.required ?? [])])] }),
})

export const shapeOf = (placed: Placed): Shape => {
  const schema = resolve(placed)
  if ('const' in schema) return { kind: 'constant', value: schema.const as Json }
  if (schema.enum) return { kind: 'choice', options: schema.enum as Json[] }
  const variants = schema.anyOf ?? schema.oneOf
  if (variants) return shapeOfVariants(variants, placed.root)
  if (Array.isArray(schema.type)) {
    return shapeOfVariants(
      schema.type.map((type) => ({ ...schema, type })),
      placed.root,
    )
  }
  switch (schema.type) {
    case 'string':
      return { kind: schema['x-type'] === 'date' ? 'date' : 'text' }
    case 'number':
    case 'integer':
      return { kind: 'number' }
    case 'boolean':
      return { kind: 'boolean' }
    case 'null':
      return { kind: 'constant', value: null }
    case 'array':
      if (schema.prefixItems) return { kind: 'tuple', items: schema.prefixItems }
      return { kind: 'list', items: schema.items ?? {} }
    case 'object':
      return shapeOfObject(schema)
    default:
      return { kind: 'json' }
  }
}

const shapeOfObject = ({ properties, required = [], additionalProperties }: JsonSchema): Shape => {
  if (properties && Object.keys(properties).length > 0) return { kind: 'object', properties, required }
  if (isObject(additionalProperties)) return { kind: 'record', values: additionalProperties as JsonSchema }
  return additionalProperties === false ? { kind: 'object', properties: {}, required } : { kind: 'json' }
}

const shapeOfVariants = (all: JsonSchema[], root: JsonSchema): Shape => {
  const variants = all.filter((schema) => resolve({ schema, root }).type !== 'null')
  const [first = {}] = variants
  if (variants.length < all.length) {
    return { kind: 'nullable', inner: variants.length === 1 ? first : { anyOf: variants } }
  }
  if (variants.length === 1) return shapeOf({ schema: first, root })
  const shapes = variants.map((schema) => shapeOf({ schema, root }))
  // One field takes them all: which of them a text is, the server tells.
  if (shapes.every(({ kind }) => kind === 'text')) return { kind: 'text' }
  const constants = shapes.flatMap((shape) => (shape.kind === 'constant' ? [shape.value] : []))
  if (constants.length === shapes.length) return { kind: 'choice', options: constants }
  return { kind: 'union', variants }
}

/** What a required value begins as: the smallest that a form can show. Undefined: nothing, until somebody chooses. */
export const initialOf = (placed: Placed): Json | undefined => {
  const shape = shapeOf(placed)
  const within = (schema: JsonSchema) => initialOf({ schema, root: placed.root })
  switch (shape.kind) {
    case 'constant':
      return shape.value
    case 'text':
      return ''
    case 'boolean':
      return false
    case 'nullable':
      return null
    case 'object': {
      const given = shape.required.map((name) => [name, within(shape.properties[name] ?? {})] as const)
      return Object.fromEntries(given.filter(([, value]) => value !== undefined)) as JsonObject
    }
    case 'list':
      return Array.from({ length: Math.min(resolve(placed).minItems ?? 0, 10) }, () => within(shape.items) ?? null)
    case 'tuple':
      return shape.items.map((item) => within(item) ?? null)
    case 'record':
      return {}
    case 'union':
      return within(shape.variants[0] ?? {})
    default:
      return undefined
  }
}

/** Whether a value looks like one of this schema, as far as a form has to know to show it. */
export const fits = (placed: Placed, value: unknown): boolean => {
  const shape = shapeOf(placed)
  const within = (schema: JsonSchema, inner: unknown) => fits({ schema, root: placed.root }, inner)
  switch (shape.kind) {
    case 'constant':
      return shape.value === value
    case 'choice':
      return shape.options.some((option) => option === value)
    case 'boolean':
      return typeof value === 'boolean'
    case 'number':
      return typeof value === 'number'
    case 'text':
      return typeof value === 'string'
    case 'date':
      return typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value)
    case 'list':
      return Array.isArray(value) && value.every((item) => within(shape.items, item))
    case 'tuple':
      return Array.isArray(value) && value.length === shape.items.length
    case 'record':
      return isObject(value)
    case 'object':
      return (
        isObject(value) &&
        Object.entries(shape.properties).every(([name, schema]) => {
          const at = own(value, name)
          return at === undefined ? !shape.required.includes(name) : within(schema, at)
        })
      )
    case 'nullable':
      return value === null || within(shape.inner, value)
    case 'union':
      return shape.variants.some((variant) => within(variant, value))
    case 'json':
      return true
  }
}
