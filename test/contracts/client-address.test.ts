import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { siteOf } from '../../server/domain/sites.ts'
import { createClientAddress } from '../../server/http/client-address.ts'
import { createAddressCounts } from '../../server/http/counts.ts'

// [P10] Whom the limits count by: whatever stands in X-Forwarded-For gives an address, or counts as the proxy's own.

const proxy = '10.0.0.1'
const addressBehind = createClientAddress(['10.0.0.0/8', '::1'])
const countedAs = (peer: string, forwarded?: string): string =>
  addressBehind({
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    socket: { remoteAddress: peer },
  } as unknown as IncomingMessage)

test.each([
  // As most proxies write it.
  ['203.0.113.7', '203.0.113.7'],
  ['  203.0.113.7  ', '203.0.113.7'],
  ['2001:db8:1:2:3::4', '2001:db8:1:2::/64'],
  // With a port, as Azure's does: another one for each connection.
  ['203.0.113.7:40001', '203.0.113.7'],
  ['203.0.113.7:40002', '203.0.113.7'],
  ['[2001:db8:1:2:3::4]:40001', '2001:db8:1:2::/64'],
  ['[2001:db8:1:2:3::4]', '2001:db8:1:2::/64'],
  ['"[2001:db8:1:2:3::4]:443"', '2001:db8:1:2::/64'],
  ['"203.0.113.7:443"', '203.0.113.7'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['[fe80::1%25eth0]:80', 'fe80:0:0:0::/64'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['[::ffff:203.0.113.7]:80', '203.0.113.7'],
  // Several hops: the last that is not ours; what the client wrote in front says nothing.
  ['198.51.100.1, 203.0.113.7', '203.0.113.7'],
  ['198.51.100.1, 203.0.113.7:1234, 10.2.3.4', '203.0.113.7'],
  ['198.51.100.1,203.0.113.7,[::1]:99', '203.0.113.7'],
  ['nonsense, 203.0.113.7', '203.0.113.7'],
  [', , 203.0.113.7 ,', '203.0.113.7'],
  ['10.9.9.9, 10.8.8.8', '10.9.9.9'],
  // Nobody is named: the proxy's own.
  ['unknown', proxy],
  ['_hidden', proxy],
  ['', proxy],
  [',', proxy],
  ['203.0.113', proxy],
  ['203.0.113.700', proxy],
  ['0xcb.0.0x71.7', proxy],
  ['3405803783', proxy],
  ['203.0.113.7:port', proxy],
  ['203.0.113.7 evil', proxy],
  ['for=203.0.113.7', proxy],
  ['[2001:db8::1', proxy],
  ['203.0.113.7, unknown', proxy],
  ['203.0.113.7, unknown, 10.2.3.4', '10.2.3.4'],
])('behind a trusted proxy, %j counts as %s', (forwarded, counted) => {
  expect(countedAs(proxy, forwarded)).toBe(counted)
})

test('nobody else is believed', () => {
  expect(countedAs('203.0.113.7', '198.51.100.1')).toBe('203.0.113.7')
  expect(countedAs('::ffff:203.0.113.7', '198.51.100.1:80')).toBe('203.0.113.7')
  expect(countedAs('2001:db8::7', '198.51.100.1')).toBe('2001:db8:0:0::/64')
  expect(countedAs(proxy)).toBe(proxy)
  expect(countedAs('::1', '203.0.113.7')).toBe('203.0.113.7')
  expect(countedAs('::ffff:10.0.0.1', '203.0.113.7')).toBe('203.0.113.7')
})

test.each([
  ['2001:db8:1:2:3::4', '2001:db8:1::/48'],
  ['2001:db8:1:ffff::', '2001:db8:1::/48'],
  ['2001:db8:2::1', '2001:db8:2::/48'],
  ['2001:db8::1', '2001:db8:0::/48'],
  ['fe80::1%eth0', 'fe80:0:0::/48'],
  ['203.0.113.7', null],
  ['::ffff:203.0.113.7', null],
  ['unknown', null],
])('%j is in the site %s', (forwarded, site) => {
  expect(siteOf(countedAs(proxy, forwarded))).toBe(site)
})

test('a /48 may have four times what one /64 may, and each of its networks no more than before', () => {
  const counts = createAddressCounts()
  const network = (i: number) => `2001:db8:1:${i.toString(16)}::/64`
  expect(counts.add(network(0), 10, 10)).toBe(true)
  expect(counts.add(network(0), 10)).toBe(false)
  for (let i = 1; i <= 30; i++) expect(counts.add(network(i), 10)).toBe(true)
  expect(counts.add(network(31), 10)).toBe(false)
  expect(counts.add('2001:db8:2:0::/64', 10)).toBe(true)
  expect(counts.add('203.0.113.7', 10)).toBe(true)
  // What was refused counts in neither.
  counts.remove(network(0), 10)
  expect(counts.add(network(31), 10, 10)).toBe(true)
  expect(counts.add(network(31), 10)).toBe(false)
  for (let i = 1; i <= 31; i++) counts.remove(network(i), i === 31 ? 10 : 1)
  for (let i = 0; i < 4; i++) expect(counts.add(network(i), 10, 10)).toBe(true)
  expect(counts.add(network(4), 10)).toBe(false)
})
