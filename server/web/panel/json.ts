export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [name: string]: Json
}

/** Where in a value: names and positions. */
export type Path = (string | number)[]

/** As issues and tests name a place: `items.0.name`. */
export const pathText = (path: Path): string => path.join('.')

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What stands at `a.b.0` of a value; undefined where nothing does. */
export const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (found, key) =>
      typeof found === 'object' && found !== null && Object.hasOwn(found, key)
        ? (found as Record<string, unknown>)[key]
        : undefined,
    value,
  )

/** A copy with another value at the path; undefined takes a name away. The path leads through what is there. */
export const withValueAt = (
  value: Json | undefined,
  [key, ...rest]: Path,
  next: Json | undefined,
): Json | undefined => {
  if (key === undefined) return next
  if (Array.isArray(value)) return value.map((item, i) => (i === key ? (withValueAt(item, rest, next) ?? null) : item))
  const { [key]: at, ...others } = isObject(value) ? (value as JsonObject) : {}
  const changed = withValueAt(at, rest, next)
  if (changed === undefined) return others
  // In its old place: a form must not reorder what somebody reads.
  return at === undefined ? { ...others, [key]: changed } : { ...(value as JsonObject), [key]: changed }
}
