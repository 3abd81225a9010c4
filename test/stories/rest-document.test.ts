import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { expect, test } from 'vitest'
import { errorKinds } from '../../server/contract/index.ts'
import { createOpenApiDocument } from '../../server/http/rest/openapi.ts'
import { routes } from '../../server/http/rest/routes.ts'
import { appRouter } from '../../server/trpc/router.ts'
import { type Answer, createRestClient } from '../harness/rest-client.ts'
import { password, startWorld } from '../harness/world.ts'

type Json = Record<string, unknown>
interface Media {
  content?: Record<string, { schema: Json; example?: unknown }>
}
interface Operation {
  summary: string
  parameters?: { name: string; schema: Json; example?: unknown }[]
  requestBody?: Media
  responses: Record<string, Media>
}

/** Procedures that answer once and yet have no route, each with the reason. */
const withoutRoute: Record<string, string> = {}

const document = createOpenApiDocument()
const paths = document.paths as Record<string, Record<string, Operation>>
const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
const operationOf = (method: string, path: string) => paths[path]?.[method.toLowerCase()] as Operation

/** Also what a schema leaves open is closed: an answer holds what its schema names, and nothing else. */
const closed = (schema: unknown): unknown => {
  if (typeof schema !== 'object' || schema === null) return schema
  if (Array.isArray(schema)) return schema.map(closed)
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  return 'properties' in inner && inner.type === 'object' ? { ...inner, additionalProperties: false } : inner
}

const ajv = new Ajv2020({ strict: false, allErrors: true })
formats.default(ajv)
ajv.addSchema(closed({ $id: 'document', components: document.components }) as object)

const misfits = (schema: Json, value: unknown): string => {
  const here = JSON.parse(JSON.stringify(closed(schema)).replaceAll('"#/', '"document#/'))
  const validate = ajv.compile(here)
  return validate(JSON.parse(JSON.stringify(value))) ? '' : ajv.errorsText(validate.errors)
}

test('every procedure that answers once has a route', () => {
  const procedures = Object.entries(appRouter._def.procedures)
  const once = procedures.filter(([, { _def }]) => _def.type !== 'subscription').map(([name]) => name)
  const routed = new Set<string>(routes.map(({ procedure }) => procedure))
  expect(once.filter((name) => !routed.has(name) && !withoutRoute[name])).toEqual([])
  expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length)
  expect(operations.map(({ summary }) => summary)).not.toContain('')
})

test('the document is valid OpenAPI 3.1 and is served', async () => {
  await using world = await startWorld()
  const { body, headers } = await createRestClient(world.url).get('/api/openapi.json')
  expect(headers.get('content-type')).toMatch('application/json')
  expect(body).toEqual(JSON.parse(JSON.stringify(document)))
  const validator = new Validator()
  const { valid, errors } = await validator.validate(body)
  expect([valid, errors]).toEqual([true, undefined])
  expect(validator.version).toBe('3.1')
})

test('all examples fit their schemas, and the problem names every kind that travels', () => {
  for (const { parameters = [], requestBody, responses } of operations) {
    for (const { name, schema, example } of parameters) {
      if (example !== undefined) expect([name, misfits(schema, example)]).toEqual([name, ''])
    }
    for (const { content = {} } of [requestBody ?? {}, ...Object.values(responses)]) {
      for (const { schema, example } of Object.values(content)) expect(misfits(schema, example)).toBe('')
    }
  }
  const sdkOnly = ['connectionLost', 'timedOut', 'outboxFull', 'notStored', 'cancelled', 'closed']
  const kinds = Object.keys(errorKinds).filter((kind) => !sdkOnly.includes(kind))
  expect(document.components.schemas.Problem).toMatchObject({ properties: { kind: { enum: kinds } } })
})

test('each answer of each route is as the document says', async () => {
  await using world = await startWorld()
  const [bob] = await world.people('bob')
  const url = world.url
  const stranger = createRestClient(url)
  const seen = new Set<string>()
  const fits = <Body>(answer: Answer<Body>, method: string, path: string): Answer<Body> => {
    const { responses } = operationOf(method, path)
    const response = responses[answer.status]
    expect([path, answer.status, Object.keys(responses)]).toEqual([
      path,
      answer.status,
      expect.arrayContaining([`${answer.status}`]),
    ])
    const [[type, media] = []] = Object.entries(response?.content ?? {})
    if (media && type) {
      expect(answer.headers.get('content-type')).toMatch(type)
      expect([path, misfits(media.schema, answer.body)]).toEqual([path, ''])
    } else expect(answer.body).toBe('')
    if (answer.status < 300) seen.add(`${method} ${path}`)
    return answer
  }

  const account = { username: 'ada', password }
  fits(await stranger.post('/api/register', account), 'POST', '/api/register')
  fits(await stranger.post('/api/register', account), 'POST', '/api/register')
  const opened = fits(await stranger.post<{ session: { token: string } }>('/api/login', account), 'POST', '/api/login')
  const ada = createRestClient(url, opened.body.session.token)
  fits(await stranger.post('/api/login', { ...account, password: 'wrong' }), 'POST', '/api/login')
  fits(await ada.get('/api/me'), 'GET', '/api/me')
  fits(await stranger.get('/api/me'), 'GET', '/api/me')
  const ownProfile = [await ada.patch('/api/me', { displayName: 'Ada' }), await ada.patch('/api/me', {})]
  for (const answer of ownProfile) fits(answer, 'PATCH', '/api/me')
  fits(await ada.get('/api/online-users'), 'GET', '/api/online-users')
  const draft = { to: 'bob', text: 'Hello', clientMessageId: 'x' }
  const own = fits(await ada.post<{ id: string }>('/api/messages', draft), 'POST', '/api/messages').body.id
  fits(await ada.post('/api/messages', { to: 'bob', text: 'Other', clientMessageId: 'x' }), 'POST', '/api/messages')
  fits(await ada.post('/api/messages', '{'), 'POST', '/api/messages')
  fits(await ada.post('/api/messages', { to: 'nobody', text: 'x' }), 'POST', '/api/messages')
  const [message] = await bob.send('ada', 'Hi')
  const between = '/api/messages/history'
  fits(await ada.get(`${between}?sender=ada&receiver=bob&limit=1`), 'GET', between)
  fits(await ada.get(`${between}?sender=bob&receiver=eve`), 'GET', between)
  fits(await ada.get(between), 'GET', between)
  const delivered = [{ conversationId: message?.conversationId, seq: message?.seq }]
  fits(await ada.post('/api/messages/delivered', delivered), 'POST', '/api/messages/delivered')
  fits(await ada.post(`/api/messages/${message?.id}/read`), 'POST', '/api/messages/{messageId}/read')
  fits(await ada.post('/api/messages/dm:ada:eve:1/read'), 'POST', '/api/messages/{messageId}/read')
  const one = '/api/messages/{messageId}'
  fits(await ada.patch(`/api/messages/${own}`, { text: 'Hello!', revision: 1 }), 'PATCH', one)
  fits(await ada.patch(`/api/messages/${own}`, { text: 'Hey!', revision: 1 }), 'PATCH', one)
  fits(await ada.patch(`/api/messages/${message?.id}`, { text: 'Hey!', revision: 1 }), 'PATCH', one)
  fits(await ada.get(`/api/messages/${own}/versions`), 'GET', `${one}/versions`)
  fits(await ada.get('/api/messages/dm:ada:eve:1/versions'), 'GET', `${one}/versions`)
  fits(await ada.delete(`/api/messages/${message?.id}`), 'DELETE', one)
  fits(await ada.delete(`/api/messages/${own}`), 'DELETE', one)
  fits(await ada.patch(`/api/messages/${own}`, { text: 'Hey!', revision: 2 }), 'PATCH', one)
  fits(await ada.get('/api/conversations'), 'GET', '/api/conversations')
  fits(await ada.get('/api/conversations?cursor=x'), 'GET', '/api/conversations')
  const conversation = '/api/conversations/{conversation}/messages'
  const page = fits(await ada.get('/api/conversations/bob/messages'), 'GET', conversation)
  const etag = page.headers.get('etag') ?? ''
  fits(await ada.get('/api/conversations/bob/messages', { 'if-none-match': etag }), 'GET', conversation)
  fits(await ada.post('/api/logout'), 'POST', '/api/logout')
  expect(routes.map(({ method, path }) => `${method} ${path}`).filter((route) => !seen.has(route))).toEqual([])
})

test('the page of the document lists every call and every kind, and loads nothing from elsewhere', async () => {
  await using world = await startWorld()
  const api = createRestClient(world.url)
  const { body, headers } = await api.get<string>('/api/docs')
  expect(headers.get('content-security-policy')).toMatch("default-src 'none'; script-src 'self'; style-src 'self'")
  for (const { id } of routes) expect(body).toMatch(`id="${id}"`)
  for (const kind of Object.keys(document['x-error-kinds'])) expect(body).toMatch(`id="${kind}"`)
  expect(body).not.toMatch(/https?:\/\/|<style|\sstyle=|\son\w+=|<script>/)
  const ids = Array.from(body.matchAll(/\sid="([^"]+)"/g), ([, id]) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const [, target] of body.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target)
  const assets = Array.from(body.matchAll(/(?:src|href)="(\/[^"]+)"/g), ([, path]) => path as string)
  expect(assets).toHaveLength(3)
  for (const path of assets) expect([path, (await api.get(path)).status]).toEqual([path, 200])
})
