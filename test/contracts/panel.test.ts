import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { initTRPC } from '@trpc/server'
import superjson from 'superjson'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { describeRouter } from '../../server/panel/describe.ts'
import type { ProcedureDescription } from '../../server/panel/document.ts'
import { appRouter } from '../../server/trpc/router.ts'
import { gardenOptions, gardenRouter } from '../harness/garden.ts'
import { createRestClient } from '../harness/rest-client.ts'
import { startWorld } from '../harness/world.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('a procedure that is added to a router is in the panel, whatever it is called and however deep it is nested', async () => {
  const { procedures, transformer, pathSeparator } = await describeRouter(gardenRouter(superjson), gardenOptions)
  expect([transformer, pathSeparator]).toEqual(['superjson', '~'])
  expect(procedures.map(({ path, kind, description }) => [path, kind, description])).toEqual([
    ['gate.enter', 'mutation', 'Gives a key.'],
    ['gate.who', 'query', null],
    ['plants.add', 'mutation', null],
    ['plants.get', 'query', 'The name of a plant.'],
    ['odd', 'query', null],
    ['days', 'subscription', null],
    ['plants.beyond.horizon', 'query', null],
  ])
  const [, who, add, , odd] = procedures as [
    ProcedureDescription,
    ProcedureDescription,
    ProcedureDescription,
    ProcedureDescription,
    ProcedureDescription,
  ]
  expect(who.input).toBeNull()
  expect(add.input?.properties).toMatchObject({
    name: { type: 'string', minLength: 2, maxLength: 40, description: 'What it is called here.' },
    sort: { enum: ['tree', 'shrub', 'herb'] },
    planted: { type: 'string', format: 'date-time', 'x-type': 'date' },
    height: { type: 'number', minimum: 0, maximum: 120 },
    beds: { type: 'array', items: { type: 'integer', minimum: 1, maximum: 9 }, minItems: 1, maxItems: 3 },
    isRare: { type: 'boolean', default: false },
  })
  expect(add.input?.required).toEqual(['name', 'sort', 'planted', 'beds', 'care', 'note'])
  // All parsers of a procedure see the same input; of one that is a function nothing is known.
  expect(odd.input?.allOf).toMatchObject([{ required: ['a'] }, { properties: { b: { type: 'integer' } } }, {}])
})

test('a router without a transformer speaks plain JSON; one with another than superjson is refused in words', async () => {
  expect((await describeRouter(gardenRouter(), gardenOptions)).transformer).toBe('json')
  const strange = { serialize: (value: unknown) => [value], deserialize: (value: unknown) => value }
  const router = initTRPC.create({ transformer: strange }).router({})
  await expect(describeRouter(router, gardenOptions)).rejects.toThrow('superjson or plain JSON')
})

test('a schema that describes itself by the standard is used; one that cannot be described takes raw JSON', async () => {
  const t = initTRPC.create()
  const standard = {
    parse: (value: unknown) => value,
    '~standard': { jsonSchema: { input: () => ({ type: 'integer' }) } },
  }
  const broken = { parse: (value: unknown) => value, '~standard': { jsonSchema: { input: () => JSON.parse('{') } } }
  const router = t.router({
    a: t.procedure.input(standard).query(() => 1),
    b: t.procedure.input(broken).query(() => 1),
    c: t.procedure.input(z.bigint()).query(() => 1),
  })
  const { procedures } = await describeRouter(router, gardenOptions)
  expect(procedures.map(({ input }) => input)).toMatchObject([{ type: 'integer' }, {}, { 'x-type': 'bigint' }])
})

test('the document of the server names each of its procedures, and how to sign in', async () => {
  await using world = await startWorld()
  const api = createRestClient(world.url)
  const { body, headers } = await api.get('/panel/procedures.json')
  const procedures = body.procedures as ProcedureDescription[]
  expect(procedures.map(({ path }) => path)).toEqual(Object.keys(appRouter._def.procedures))
  expect(procedures.every(({ description }) => description)).toBe(true)
  const paths = (body.signIn as { path: string }[]).map(({ path }) => path)
  expect(paths).toEqual(['register', 'login'])
  const etag = headers.get('etag') ?? ''
  expect((await api.get('/panel/procedures.json', { 'if-none-match': etag })).status).toBe(304)
})

test('what is typed into a password is marked as such, so that no address and nothing copied holds it', async () => {
  await using world = await startWorld()
  const { body } = await createRestClient(world.url).get('/panel/procedures.json')
  const found = JSON.stringify(body).match(/"password":\{[^}]*\}/g) ?? []
  expect(found.length).toBeGreaterThanOrEqual(2)
  for (const schema of found) expect(schema).toContain('"format":"password"')
})

test('nothing of the panel knows what the router of this server is for: no procedure of it is named there', () => {
  const folders = ['server/panel', 'server/web/panel', 'server/web/look']
  const files = [
    'server/http/panel.ts',
    'server/http/pages.ts',
    'server/http/static-files.ts',
    ...folders.flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length)),
    ),
  ]
  expect(files.length).toBeGreaterThan(30)
  const named = files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    return Object.keys(appRouter._def.procedures).flatMap((name) => {
      // A name of two words is nobody else's; one of a single word may be a word of English or of the browser.
      const pattern = /[A-Z]/.test(name) ? new RegExp(`\\b${name}\\b`) : new RegExp(`['"]${name}['"]`)
      return pattern.test(text) ? [`${file}: ${name}`] : []
    })
  })
  expect(named).toEqual([])
})
