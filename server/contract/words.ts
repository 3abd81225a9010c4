import { z } from 'zod'

const typeWords: Record<string, string> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  date: 'a date',
}

const unitOf = (origin: string): string =>
  ({ string: ' characters', array: ' entries', set: ' entries', file: ' bytes' })[origin] ?? ''

const boundOf = (bound: number | bigint, origin: string): string =>
  origin === 'date' ? new Date(Number(bound)).toISOString() : String(bound)

/**
 * What does not fit, in words for whoever called, read behind the name of the field: `limit: at most 100`. Schemas with
 * words of their own keep them.
 */
export const wordsOf: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `takes ${typeWords[issue.expected] ?? issue.expected}`
    case 'too_small':
      return issue.minimum === 1 && unitOf(issue.origin)
        ? 'must not be empty'
        : `${issue.inclusive ? 'at least' : 'more than'} ${boundOf(issue.minimum, issue.origin)}${unitOf(issue.origin)}`
    case 'too_big':
      return `${issue.inclusive ? 'at most' : 'less than'} ${boundOf(issue.maximum, issue.origin)}${unitOf(issue.origin)}`
    case 'invalid_value':
      return issue.values.length === 1
        ? `must be ${String(issue.values[0])}`
        : `one of ${issue.values.map(String).join(', ')}`
    case 'unrecognized_keys':
      return `unknown: ${issue.keys.join(', ')}`
    case 'invalid_union':
      return 'fits none of what may stand here'
    default:
      return undefined
  }
}

// The language of this process, as zod's own locales set it: its schemas are checked where no option could be passed.
z.config({ localeError: wordsOf })
