import fc from 'fast-check'
import superjson from 'superjson'
import { expect, test } from 'vitest'
import { transformer } from '../../server/trpc/transformer.ts'

const { stringify, serialize } = transformer.output
const date = new Date('2026-01-02T03:04:05.678Z')
const message = { id: 'dm:ada:bob:1', text: 'a "quoted" \\ 👋', sentAt: date, clientMessageId: null, read: false }

class Point {
  x = 1
}
const loop: Record<string, unknown> = {}
loop.self = loop

test.each<[string, unknown]>([
  ['a message', message],
  ['a page', { messages: [message, { ...message, seq: 2 }], nextBefore: null }],
  ['a tracked event', { id: 'v12', data: { type: 'message', message } }],
  [
    'a tracked event with a list',
    { id: 'u0', data: { type: 'ready', replay: 'reset', conversations: [{ conversationId: 'dm:a:b', afterSeq: 7 }] } },
  ],
  ['a tracked event with odd keys', { id: 'v1', data: { 'a.b': date, c: message } }],
  ['a tracked event with undefined', { id: 'v1', data: { type: undefined, message } }],
  ['something that only looks tracked', { id: 7, data: { at: date } }],
  ['nothing', undefined],
  ['null', null],
  ['a date', date],
  ['an invalid date', { at: new Date(Number.NaN) }],
  ['an array with a date', [1, date, [date]]],
  ['undefined in it', { a: undefined, b: [undefined] }],
  ['odd numbers', { a: Number.NaN, b: -0, c: Number.POSITIVE_INFINITY, d: 1e21 }],
  ['a bigint', { a: 10n }],
  ['a map and a set', { map: new Map([[1, date]]), set: new Set(['a']) }],
  ['a class', { point: new Point() }],
  ['keys with dots and backslashes', { 'a.b': { 'c\\d': date } }],
  ['a loop', loop],
])('%s is written as superjson reads it', (_name, value) => {
  const expected = superjson.parse(superjson.stringify(value))
  expect(superjson.parse(stringify(value))).toEqual(expected)
  expect(superjson.deserialize(JSON.parse(JSON.stringify(serialize(value))))).toEqual(expected)
  // Again, from what is known by now.
  expect(superjson.parse(stringify(value))).toEqual(expected)
})

/** All that JSON with dates can be, and now and then what it cannot. */
const anything = fc.letrec((tie) => ({
  leaf: fc.oneof(
    { weight: 4, arbitrary: fc.string({ unit: 'binary' }) },
    { weight: 4, arbitrary: fc.date({ noInvalidDate: false }) },
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0, 10n),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(
    fc.oneof(fc.constantFrom('id', 'data', 'message', 'sentAt', '0', 'a.b', 'a-b'), fc.string({ unit: 'binary' })),
    tie('value'),
    { maxKeys: 5, noNullPrototype: true },
  ),
  tracked: fc.record({ id: fc.string(), data: tie('value') }),
  map: fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
  value: fc.oneof(
    { depthSize: 'small' },
    { weight: 4, arbitrary: tie('leaf') },
    tie('list'),
    { weight: 3, arbitrary: tie('object') },
    tie('tracked'),
    tie('map'),
  ),
})).value

/** Superjson refuses some names of keys. */
const textOf = (write: () => string): unknown => {
  try {
    return JSON.parse(write())
  } catch (error) {
    return String(error)
  }
}

test('whatever is written is what superjson writes, the first time and again', () => {
  fc.assert(
    fc.property(anything, (value) => {
      const expected = textOf(() => superjson.stringify(value))
      expect(textOf(() => stringify(value))).toEqual(expected)
      expect(textOf(() => stringify(value))).toEqual(expected)
      expect(textOf(() => JSON.stringify(serialize(value)))).toEqual(expected)
    }),
    { numRuns: 2_000 },
  )
})

test('the message in an event is written as in the answer to its sender, and in the same order', () => {
  expect(stringify(message)).toBe(superjson.stringify(message))
  const event = { id: 'v12', data: { type: 'message', message } }
  expect(stringify(event)).toBe(superjson.stringify(event))
})

test('[P10] an input of types that nobody asked for is refused: a short text could name a typed array of 4 GB', () => {
  const { deserialize } = transformer.input
  expect(deserialize({ json: { at: date.toISOString() }, meta: { values: { at: ['Date'] } } })).toEqual({ at: date })
  expect(deserialize({ json: { a: 1 } })).toEqual({ a: 1 })
  expect(deserialize(undefined)).toBeUndefined()
  for (const values of [
    { a: [['typed-array', 'Uint8Array']] },
    ['map', { 0: ['Date'] }],
    { a: ['regexp'] },
    { a: [['custom', 'x']] },
    { a: 7 },
  ]) {
    expect(() => deserialize({ json: { a: 4_000_000_000 }, meta: { values } })).toThrow('only Date and undefined')
  }
})
