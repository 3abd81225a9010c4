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

/** What stands under a name; never what every object has, such as `constructor`. */
export const own = <Value>(holder: Record<string, Value>, name: string): Value | undefined =>
  Object.hasOwn(holder, name) ? holder[name] : undefined

/** What stands at `a.b.0` of a value; undefined where nothing does. */
export const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (found, key) =>
      typeof found === 'object' && found !== null ? own(found as Record<string, unknown>, String(key)) : undefined,
    value,
  )
