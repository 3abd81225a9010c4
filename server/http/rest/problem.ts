import { z } from 'zod'
import { type ChatError, type ErrorKind, errorKinds, errorWords } from '../../contract/index.ts'
import { statusOf } from '../explain.ts'

/** Those that the SDK makes by itself never travel. */
const ofTheSdk: ErrorKind[] = ['connectionLost', 'timedOut', 'outboxFull', 'notStored', 'cancelled', 'closed']

export const problemKinds = (Object.keys(errorKinds) as ErrorKind[]).filter((kind) => !ofTheSdk.includes(kind))

/** RFC 9457, with what our errors say besides. */
export const Problem = z.object({
  type: z.string().describe('Names the kind, and leads to its description.'),
  title: z.string().describe('The words of the kind, always the same.'),
  status: z.int().describe('The HTTP status.'),
  detail: z.string().describe('The words for this occurrence.'),
  kind: z.enum(problemKinds),
  retryable: z.boolean().describe('Whether the same call may succeed later.'),
  retryAfterMs: z.int().optional().describe('When; given for limits.'),
  issues: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .optional()
    .describe('For `invalidInput`: what does not fit, by path.'),
})
export type Problem = z.infer<typeof Problem>

export const problemType = (kind: ErrorKind): string => `/api/docs#${kind}`

export const asProblem = (
  { kind, message, retryable, retryAfterMs, issues }: ChatError,
  status = statusOf(kind),
): Problem => ({
  type: problemType(kind),
  title: errorWords[kind],
  status,
  detail: message,
  kind,
  retryable,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
  ...(issues && { issues }),
})
