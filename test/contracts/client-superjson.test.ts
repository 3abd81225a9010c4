import fc from 'fast-check'
import superjson from 'superjson'
import { expect, test } from 'vitest'
import { deserialize, serialize, type Typed } from '../../client-sdk/src/connection/superjson.ts'

// The SDK's own reader and writer, held to the original.

const travelled = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value))

/** Whatever the contract knows: JSON with dates and undefined, under any keys. */
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.date({ noInvalidDate: true }),
    fc.array(tie('value')),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('a.b', 'c\\d', '\\.', '', '0')).filter((key) => !unsafe.includes(key)),
      tie('value'),
      { noNullPrototype: true },
    ),
  ),
})).value

/** Superjson refuses these keys. */
const unsafe = ['__proto__', 'constructor', 'prototype']

test('what the SDK writes, superjson reads; what superjson writes, the SDK reads', () => {
  fc.assert(
    fc.property(values, (value) => {
      const expected = superjson.deserialize(travelled(superjson.serialize(value)))
      expect(superjson.deserialize(travelled(serialize(value)) as never)).toStrictEqual(expected)
      expect(deserialize(travelled(superjson.serialize(value)) as never)).toStrictEqual(expected)
      expect(deserialize(travelled(serialize(value)))).toStrictEqual(expected)
    }),
    { numRuns: 2_000 },
  )
})

test('what cannot be a date travels as null, as with superjson', () => {
  const value = { at: new Date(Number.NaN) }
  expect(travelled(serialize(value))).toEqual(travelled(superjson.serialize(value)))
})

test('the value that was given is not changed', () => {
  const value = { at: new Date(0), list: [{ at: undefined }] }
  serialize(value)
  expect(value).toStrictEqual({ at: new Date(0), list: [{ at: undefined }] })
})

test('types that the contract does not know, as a newer server may send, stay as JSON has them', () => {
  const newer = {
    at: new Date(0),
    count: 5n,
    tags: new Set(['a']),
    seen: new Map([['a', new Date(0)]]),
    url: new URL('http://a'),
  }
  expect(deserialize(travelled(superjson.serialize(newer)) as Typed)).toEqual({
    at: new Date(0),
    count: '5',
    tags: ['a'],
    seen: [['a', '1970-01-01T00:00:00.000Z']],
    url: 'http://a/',
  })
})

test('a path that nobody could have written is refused', () => {
  for (const path of ['b', '__proto__.x', 'a.length', '']) {
    expect(() => deserialize({ json: { a: 'x' }, meta: { values: { [path]: ['Date'] } } })).toThrow('nothing at')
  }
})
