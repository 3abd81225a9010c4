import { expect, test } from 'vitest'
import { z } from 'zod'
import { describeInput } from '../../server/panel/input-schema.ts'
import { initialOf, shapeOf } from '../../server/web/panel/form/schema.ts'
import { richValue, withoutSecrets, withSecretsNamed } from '../../server/web/panel/form/values.ts'
import { limitWords, typeWords } from '../../server/web/panel/form/words.ts'
import { readHash, type SharedCall, writeHash } from '../../server/web/panel/hash.ts'
import { issuesOf, kindOf, wordsOf } from '../../server/web/panel/issues.ts'
import { asShellWord } from '../../server/web/panel/snippets.ts'
import { Failure } from '../../server/web/panel/wire/failure.ts'

const placed = (schema: z.ZodType) => {
  const root = describeInput([schema]) ?? {}
  return { schema: root, root }
}
const kind = (schema: z.ZodType) => shapeOf(placed(schema)).kind

test('each schema gets the field that fits it; what no field shows is raw JSON', () => {
  expect(kind(z.string())).toBe('text')
  expect(kind(z.email())).toBe('text')
  expect(kind(z.bigint())).toBe('text')
  expect(kind(z.int())).toBe('number')
  expect(kind(z.boolean())).toBe('boolean')
  expect(kind(z.date())).toBe('date')
  expect(kind(z.enum(['a', 'b']))).toBe('choice')
  expect(kind(z.union([z.literal('a'), z.literal(2)]))).toBe('choice')
  expect(kind(z.literal('a'))).toBe('constant')
  expect(kind(z.string().nullable())).toBe('nullable')
  expect(kind(z.union([z.string().min(2), z.string().regex(/^x/)]))).toBe('text')
  expect(kind(z.union([z.string(), z.number()]))).toBe('union')
  expect(kind(z.array(z.string()))).toBe('list')
  expect(kind(z.tuple([z.string()]))).toBe('tuple')
  expect(kind(z.record(z.string(), z.number()))).toBe('record')
  expect(kind(z.object({}))).toBe('json')
  expect(kind(z.strictObject({}))).toBe('object')
  expect(kind(z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() })))).toBe('object')
  for (const unknown of [z.any(), z.unknown(), z.map(z.string(), z.string())]) {
    expect(kind(unknown)).toBe('json')
  }
})

test('a schema that contains itself makes a form as deep as it is filled, and no deeper', () => {
  const Folder = z.object({
    name: z.string(),
    get folders() {
      return z.array(Folder)
    },
  })
  const { root } = placed(Folder)
  expect(initialOf({ schema: root, root })).toEqual({ name: '', folders: [] })
  const deep = { name: 'a', folders: [{ name: 'b', folders: [] }] }
  expect(richValue('superjson', root, deep)).toEqual(deep)
})

test('limits are told in words, and a pattern only where nothing else says what is meant', () => {
  const words = (schema: z.ZodType) => [typeWords(placed(schema)), ...limitWords(placed(schema))]
  expect(words(z.string().min(2).max(8))).toEqual(['text', '2 to 8 characters'])
  expect(words(z.string().length(4))).toEqual(['text', 'exactly 4 characters'])
  expect(words(z.int().min(1))).toEqual(['whole number', 'at least 1'])
  expect(words(z.number().gt(0).lt(1).multipleOf(0.1))).toEqual([
    'number',
    'more than 0',
    'less than 1',
    'a multiple of 0.1',
  ])
  expect(words(z.array(z.date()).min(1).max(9))).toEqual(['list of date and time', '1 to 9 items'])
  expect(words(z.string().regex(/^a+$/))).toEqual(['text', 'matches ^a+$'])
  expect(words(z.string().regex(/^a+$/).describe('Only a'))).toEqual(['text'])
  expect(words(z.email())).toEqual(['text', 'e-mail address'])
})

test('dates and bigints travel as what they are, wherever they stand; with plain JSON as they were typed', () => {
  const schema = z.object({
    at: z.date(),
    all: z.array(z.object({ at: z.date().nullable(), size: z.bigint() })),
    either: z.discriminatedUnion('type', [
      z.object({ type: z.literal('a'), at: z.date() }),
      z.object({ type: z.literal('b'), at: z.string() }),
    ]),
  })
  const { root } = placed(schema)
  const at = '2020-01-02T03:04:05.000Z'
  const typed = {
    at,
    all: [
      { at, size: '12' },
      { at: null, size: 'many' },
    ],
    either: { type: 'b', at },
  }
  const date = new Date(at)
  expect(richValue('superjson', root, typed)).toEqual({
    at: date,
    all: [
      { at: date, size: 12n },
      { at: null, size: 'many' },
    ],
    either: { type: 'b', at },
  })
  expect(richValue('superjson', root, { at: 'soon' })).toEqual({ at: 'soon' })
  expect(richValue('json', root, typed)).toEqual(typed)
})

test('secrets are found wherever they stand, and only they', () => {
  const Secret = z.string().meta({ format: 'password' })
  const { root } = placed(
    z.object({ name: z.string(), keys: z.array(z.object({ key: Secret })), old: Secret.optional() }),
  )
  const value = { name: 'a', keys: [{ key: 'b' }], old: 'c' }
  expect(withoutSecrets(root, value)).toEqual({ name: 'a', keys: [{}] })
  expect(String(JSON.stringify(withSecretsNamed(root, value)))).not.toMatch(/"[bc]"/)
})

test('an address says the same to whoever opens it; a broken one says as much as is left', () => {
  const call: SharedCall = { path: 'a.b', input: { text: '&?#=+ %\u2028', n: [1] }, mode: 'json', via: 'websocket' }
  expect(readHash(writeHash(call))).toEqual(call)
  expect(readHash('')).toBeNull()
  expect(readHash('#a?input={"x":')).toEqual({ path: 'a', input: undefined, mode: 'form', via: 'http' })
  expect(readHash('#%E0%A4%A')).toMatchObject({ path: '%E0%A4%A' })
})

test('errors of other servers are understood: a message of issues, zod’s flattened errors, no data at all', () => {
  const message = JSON.stringify([{ path: ['a', 0], message: 'no' }])
  expect(issuesOf(new Failure(message), 'issues')).toEqual({ 'a.0': 'no' })
  expect(wordsOf(new Failure(message))).toBe('The input does not fit.')
  const zodError = { fieldErrors: { a: ['one', 'two'] }, formErrors: ['whole'] }
  expect(issuesOf(new Failure('x', { zodError }), 'issues')).toEqual({ '': 'whole', a: 'one; two' })
  expect(issuesOf(new Failure('x', { issues: [{ path: 'a.b', message: 'no' }] }), 'issues')).toEqual({ 'a.b': 'no' })
  expect(issuesOf(new Failure('x', 'no object'), 'issues')).toEqual({})
  expect(kindOf(new Failure('x', { code: 'CONFLICT' }), 'kind')).toBe('CONFLICT')
  expect(kindOf(new Failure('x'), 'kind')).toBe('error')
})

test('a word of a shell is one word, whatever is in it', () => {
  expect(asShellWord("it's $HOME")).toBe(`'it'\\''s $HOME'`)
  expect(asShellWord('plain-1.2')).toBe('plain-1.2')
  expect(asShellWord('')).toBe("''")
})
