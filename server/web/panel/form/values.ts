import type { JsonSchema, PanelDocument } from '../../../panel/document.ts'
import { isObject, type Json, own } from '../json.ts'
import { fits, resolve, shapeOf } from './schema.ts'

/** What stands in the place of a password wherever the value itself must not be. */
export class Secret {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
  toString() {
    return '••••••'
  }
}

type Change = (schema: JsonSchema, value: unknown, name: string) => unknown

/** A copy of an input in which each value that the schema knows of was changed, from the inside out. */
const mapValue = (schema: JsonSchema, root: JsonSchema, value: unknown, change: Change, name = ''): unknown => {
  const placed = { schema, root }
  const shape = shapeOf(placed)
  const within = (inner: JsonSchema, at: unknown, key: string) => mapValue(inner, root, at, change, key)
  const mapNames = (of: object, schemaOf: (key: string) => JsonSchema | undefined) =>
    Object.fromEntries(
      Object.entries(of)
        .map(([key, at]) => [key, schemaOf(key) ? within(schemaOf(key) ?? {}, at, key) : at] as const)
        .filter(([, at]) => at !== undefined),
    )
  const changed = (next: unknown) => change(resolve(placed), next, name)

  if (shape.kind === 'nullable') return value === null ? null : within(shape.inner, value, name)
  if (shape.kind === 'union') {
    const variant = shape.variants.find((inner) => fits({ schema: inner, root }, value))
    return variant ? within(variant, value, name) : value
  }
  if (shape.kind === 'object' && isObject(value)) return changed(mapNames(value, (key) => own(shape.properties, key)))
  if (shape.kind === 'record' && isObject(value)) return changed(mapNames(value, () => shape.values))
  if (shape.kind === 'list' && Array.isArray(value)) return changed(value.map((at) => within(shape.items, at, name)))
  if (shape.kind === 'tuple' && Array.isArray(value)) {
    return changed(value.map((at, i) => within(shape.items[i] ?? {}, at, name)))
  }
  return changed(value)
}

const mapInput = (input: JsonSchema | null, value: unknown, change: Change): unknown =>
  input === null || value === undefined ? undefined : mapValue(input, input, value, change)

/**
 * What is typed as text and travels as something else: dates and bigints. What is neither is sent as it was typed, and so is
 * everything where the router speaks plain JSON.
 */
export const richValue = (
  transformer: PanelDocument['transformer'],
  input: JsonSchema | null,
  value: unknown,
): unknown =>
  mapInput(input, value, ({ 'x-type': type }, at) => {
    if (transformer === 'json' || typeof at !== 'string') return at
    if (type === 'bigint' && /^-?\d+$/.test(at)) return BigInt(at)
    const date = type === 'date' ? new Date(at) : null
    return date && !Number.isNaN(date.getTime()) ? date : at
  })

const isSecret = ({ format, writeOnly }: JsonSchema): boolean => format === 'password' || writeOnly === true

/** What may stand in an address: no passwords. */
export const withoutSecrets = (input: JsonSchema | null, value: Json | undefined): Json | undefined =>
  mapInput(input, value, (schema, at) => (isSecret(schema) ? undefined : at)) as Json | undefined

/** What may be shown and copied: each password is a `Secret` of its name. */
export const withSecretsNamed = (input: JsonSchema | null, value: unknown): unknown =>
  mapInput(input, value, (schema, at, name) => (isSecret(schema) && at !== '' ? new Secret(name) : at))
