import { z } from 'zod'
import * as answers from '../../contract/answers.ts'
import {
  ChatError,
  type ErrorKind,
  errorKinds,
  errorWords,
  Login,
  MarkDelivered,
  Register,
  SendMessage,
  UpdateProfile,
} from '../../contract/index.ts'
import type { Meta } from '../../trpc/procedures.ts'
import { appRouter } from '../../trpc/router.ts'
import { statusOf } from '../explain.ts'
import { EditText } from './bodies.ts'
import { asProblem, Problem, problemKinds } from './problem.ts'
import { type Route, routes } from './routes.ts'

type Json = Record<string, unknown>

/** As JSON a date is a string. A query string may give it in milliseconds as well. */
const dateIn = (where: 'body' | 'query') => (converted: { zodSchema: z.core.$ZodType; jsonSchema: Json }) => {
  if (converted.zodSchema._zod.def.type !== 'date') return
  const text = { type: 'string', format: 'date-time' }
  Object.assign(converted.jsonSchema, where === 'body' ? text : { anyOf: [text, { type: 'integer' }] })
}

const bodies = { Register, Login, UpdateProfile, SendMessage, EditText, MarkDelivered }
const registry = z.registry<{ id: string }>()
for (const [id, schema] of Object.entries({ ...answers, ...bodies, Problem })) registry.add(schema, { id })

/** The schemas of all that travels as JSON, each once, by the name that it has in the contract. */
const schemas = (): Json => {
  const uri = (id: string) => `#/components/schemas/${id}`
  // As inputs: what an answer may hold besides is left open, so that a program made of this document bears a new field.
  const all = z.toJSONSchema(registry, { uri, io: 'input', unrepresentable: 'any', override: dateIn('body') }).schemas
  return Object.fromEntries(
    Object.entries(all as Record<string, Json>).map(([id, { $schema, $id, ...schema }]) => [id, schema]),
  )
}

const refTo = (schema: z.ZodType): Json => ({ $ref: `#/components/schemas/${registry.get(schema)?.id}` })

const parametersOf = ({ params = {}, query, examples: { given = {} } }: Route): Json[] => {
  const of =
    (place: 'path' | 'query') =>
    ([name, type]: [string, z.ZodType]) => {
      const converted = z.toJSONSchema(type, { unrepresentable: 'any', override: dateIn('query') })
      const { $schema, description, ...schema } = converted as Json
      const required = place === 'path' || !type.safeParse(undefined).success
      const example = given[name]
      return { name, in: place, required, description, schema, ...(example !== undefined && { example }) }
    }
  return [...Object.entries(params).map(of('path')), ...Object.entries(query?.shape ?? {}).map(of('query'))]
}

/** The answers of one route: the one that it is for, then the errors by status. */
const responsesOf = (route: Route): Json => {
  const { method, status, answer, links, examples } = route
  const ok = {
    description: answer ? 'The answer.' : 'Done; there is no body.',
    ...(answer && { content: { 'application/json': { schema: refTo(answer), example: examples.answer } } }),
    ...(method === 'GET' && {
      headers: {
        ETag: { description: 'Send it back as If-None-Match.', schema: { type: 'string' } },
        ...(links && { Link: { description: 'The pages beside this one (RFC 8288).', schema: { type: 'string' } } }),
      },
    }),
  }
  const byStatus = new Map<number, ErrorKind[]>()
  for (const kind of [...commonErrors(route), ...route.errors]) {
    byStatus.set(statusOf(kind), [...(byStatus.get(statusOf(kind)) ?? []), kind])
  }
  return {
    [status]: ok,
    ...(method === 'GET' && { 304: { description: 'What If-None-Match names is still so.' } }),
    ...Object.fromEntries([...byStatus].map(([code, kinds]) => [code, problemResponse(code, kinds)])),
    default: { description: 'Any other error.', content: problemContent(asProblem(new ChatError('internal'))) },
  }
}

const commonErrors = ({ isPublic, body, params, query }: Route): ErrorKind[] => [
  ...(isPublic ? [] : (['notSignedIn', 'sessionEnded'] as const)),
  ...(body || params || query ? (['invalidInput'] as const) : []),
  ...(body ? (['malformed', 'tooLarge'] as const) : []),
]

const problemContent = (example: Problem): Json => ({ 'application/problem+json': { schema: refTo(Problem), example } })

const problemResponse = (status: number, kinds: ErrorKind[]): Json => ({
  description: kinds.map((kind) => `\`${kind}\`: ${errorWords[kind]}`).join('\n'),
  ...(status === 429 && {
    headers: { 'Retry-After': { description: 'In seconds.', schema: { type: 'integer' } } },
  }),
  content: problemContent(
    asProblem(new ChatError(kinds[0] ?? 'internal', status === 429 ? { retryAfterMs: 1_200 } : {})),
  ),
})

const operationOf = (route: Route): Json => {
  const { id, procedure, isPublic, summary, note, body, examples } = route
  const description = (appRouter._def.procedures[procedure]._def.meta as Meta | undefined)?.description ?? ''
  const parameters = parametersOf(route)
  return {
    operationId: id,
    summary: summary ?? description,
    ...(note !== undefined && { description: note }),
    security: isPublic ? [] : [{ session: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: refTo(body), example: examples.body } } },
    }),
    responses: responsesOf(route),
  }
}

const pathsOf = (all: Route[]): Json => {
  const paths: Record<string, Json> = {}
  for (const route of all)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) }
  return paths
}

/** OpenAPI 3.1 of all that is below `/api`, of the same schemas that check what comes in. */
export const createOpenApiDocument = () => ({
  openapi: '3.1.1',
  info: {
    title: 'Parley over HTTP',
    version: '1',
    summary: 'The calls of the chat that answer once, for programs in any language.',
    description:
      'Open a session by `register` or `login` and send its token as `Authorization: Bearer <token>`. Times are ISO 8601 ' +
      'in UTC. Every error is `application/problem+json` with a `kind`. Subscriptions are streams over `/trpc`.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/', description: 'This server' }],
  security: [{ session: [] }],
  paths: pathsOf(routes),
  components: {
    schemas: schemas(),
    securitySchemes: {
      session: { type: 'http', scheme: 'bearer', description: 'The `token` that register and login answer with.' },
    },
  },
  'x-error-kinds': Object.fromEntries(
    problemKinds.map((kind) => [
      kind,
      { status: statusOf(kind), retryable: errorKinds[kind], message: errorWords[kind] },
    ]),
  ),
})
