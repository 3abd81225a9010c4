import type { JsonSchema } from '../../../panel/document.ts'
import { type Placed, resolve, shapeOf } from './schema.ts'

/** The bounds that somebody chose; a safe integer is bounded by itself. */
const chosen = (bound: number | undefined): bound is number =>
  bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER

const range = (low: number | undefined, high: number | undefined, unit: string): string[] => {
  const plural = unit === '' ? '' : ` ${unit}`
  if (chosen(low) && chosen(high)) return [low === high ? `exactly ${low}${plural}` : `${low} to ${high}${plural}`]
  if (chosen(low) && !(low === 0 && unit !== '')) return [`at least ${low}${plural}`]
  return chosen(high) ? [`at most ${high}${plural}`] : []
}

const formats: Record<string, string> = {
  email: 'e-mail address',
  uri: 'address (URL)',
  uuid: 'UUID',
  date: 'date, YYYY-MM-DD',
  time: 'time, HH:MM:SS',
  'date-time': 'date and time, ISO 8601',
  password: 'kept out of links',
}

/** What kind of value, in a word or two. */
export const typeWords = (placed: Placed): string => {
  const schema = resolve(placed)
  const within = (inner: JsonSchema) => typeWords({ schema: inner, root: placed.root })
  const shape = shapeOf(placed)
  switch (shape.kind) {
    case 'number':
      return schema.type === 'integer' ? 'whole number' : 'number'
    case 'text':
      return schema['x-type'] === 'bigint' ? 'whole number of any size' : 'text'
    case 'choice':
      return 'choice'
    case 'constant':
      return JSON.stringify(shape.value)
    case 'boolean':
      return 'yes or no'
    case 'date':
      return 'date and time'
    case 'list':
      return `list of ${within(shape.items)}`
    case 'tuple':
      return `list of ${shape.items.length}`
    case 'record':
      return `names with ${within(shape.values)}`
    case 'nullable':
      return `${within(shape.inner)} or null`
    case 'union':
      return shape.variants
        .map((variant) => resolve({ schema: variant, root: placed.root }).title ?? within(variant))
        .join(' or ')
    case 'json':
      return 'any JSON'
    case 'object':
      return schema.title ?? 'object'
  }
}

const isMissing = (words: string | undefined): boolean => words === undefined

/** The limits of a value, in the order in which somebody needs them. */
export const limitWords = (placed: Placed): string[] => {
  const schema = resolve(placed)
  const variants = schema.anyOf ?? schema.oneOf
  if (variants && shapeOf(placed).kind === 'text') {
    if (schema.description !== undefined) return []
    const each = variants.map((variant) => limitWords({ schema: variant, root: placed.root }).join(', '))
    return [each.filter((words) => words !== '').join(', or ')]
  }
  return [
    ...range(schema.minLength, schema.maxLength, 'characters'),
    ...range(schema.minItems, schema.maxItems, 'items'),
    ...range(schema.minimum, schema.maximum, ''),
    ...(schema.exclusiveMinimum !== undefined ? [`more than ${schema.exclusiveMinimum}`] : []),
    ...(schema.exclusiveMaximum !== undefined ? [`less than ${schema.exclusiveMaximum}`] : []),
    ...(schema.multipleOf !== undefined ? [`a multiple of ${schema.multipleOf}`] : []),
    ...(schema.format !== undefined && schema['x-type'] === undefined ? [formats[schema.format] ?? schema.format] : []),
    // Where words say what is meant, its pattern is only noise.
    ...(schema.pattern !== undefined && [schema.format, schema['x-type'], schema.description].every(isMissing)
      ? [`matches ${schema.pattern}`]
      : []),
  ]
}

export const defaultWords = ({ default: byDefault }: JsonSchema): string | null =>
  byDefault === undefined ? null : `${JSON.stringify(byDefault)} if not given`

/** How a variant of a union is called: by its title, by what tells it apart, otherwise by its type. */
export const variantWords = (placed: Placed): string => {
  const { title } = resolve(placed)
  if (title !== undefined) return title
  const shape = shapeOf(placed)
  if (shape.kind !== 'object') return typeWords(placed)
  const constants = Object.entries(shape.properties).flatMap(([name, schema]) => {
    const inner = shapeOf({ schema, root: placed.root })
    return inner.kind === 'constant' ? [`${name}: ${JSON.stringify(inner.value)}`] : []
  })
  return constants[0] ?? `{ ${Object.keys(shape.properties).join(', ')} }`
}
