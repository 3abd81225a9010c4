import { isObject, own, valueAt } from './json.ts'
import type { Failure } from './wire/failure.ts'

/** What does not fit, by its place in the input as `pathText` writes it; '' is the input as a whole. */
export type Issues = Record<string, string>

const listOf = (found: unknown): Issues | null => {
  if (!Array.isArray(found) || found.length === 0) return null
  const issues: Issues = {}
  for (const issue of found) {
    if (!isObject(issue) || typeof issue.message !== 'string') return null
    const path = Array.isArray(issue.path) ? issue.path.join('.') : String(issue.path ?? '')
    const before = own(issues, path)
    issues[path] = before === undefined ? issue.message : `${before}; ${issue.message}`
  }
  return issues
}

/** Of zod's `flatten`, which many error formatters add as `zodError`. */
const flattened = (found: unknown): Issues | null => {
  if (!isObject(found) || !isObject(found.fieldErrors)) return null
  const of = Object.entries(found.fieldErrors).map(([name, messages]) => [name, [messages].flat().join('; ')])
  const whole =
    Array.isArray(found.formErrors) && found.formErrors.length > 0 ? { '': found.formErrors.join('; ') } : {}
  return { ...Object.fromEntries(of), ...whole }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/**
 * What an error says of single fields: where the router's owner said that it stands, as zod's `flatten`, or, as tRPC does by
 * itself, as a message that is the JSON of zod's issues.
 */
export const issuesOf = ({ data, message }: Failure, place: string): Issues =>
  listOf(valueAt(data, place.split('.'))) ?? flattened(data.zodError) ?? listOf(parsed(message)) ?? {}

/** The words of an error; a list of issues is told at its fields instead. */
export const wordsOf = ({ message }: Failure): string => (listOf(parsed(message)) ? 'The input does not fit.' : message)

/** What kind of error it is, as its owner calls it, otherwise as tRPC does. */
export const kindOf = ({ data }: Failure, place: string): string => {
  const kind = valueAt(data, place.split('.')) ?? data.code
  return typeof kind === 'string' ? kind : 'error'
}
