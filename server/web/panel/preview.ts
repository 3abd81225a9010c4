/** So much of a value in one line that somebody sees which one it is. */
const maxLength = 160
const maxDepth = 3
const maxParts = 12

const written = (value: unknown, depth: number): string => {
  if (typeof value === 'string') return `'${value.length > maxLength ? `${value.slice(0, maxLength)}…` : value}'`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid date' : value.toISOString()
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Map || value instanceof Set) return `${value.constructor.name}(${value.size})`
  const isList = Array.isArray(value)
  if (!isList && Object.getPrototypeOf(value) !== Object.prototype) return String(value)
  const entries = Object.entries(value)
  if (entries.length === 0) return isList ? '[]' : '{}'
  if (depth === 0) return isList ? `[${entries.length}]` : '{…}'
  const parts = entries
    .slice(0, maxParts)
    .map(([name, at]) => (isList ? written(at, depth - 1) : `${name}: ${written(at, depth - 1)}`))
  const rest = entries.length > maxParts ? ', …' : ''
  return isList ? `[${parts.join(', ')}${rest}]` : `{ ${parts.join(', ')}${rest} }`
}

export const preview = (value: unknown): string => written(value, maxDepth)
