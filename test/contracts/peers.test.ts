import { describe, expect, test } from 'vitest'
import { readBatch, readLines, writeBatch, writeLine } from '../../server/bus/redis/batch.ts'
import { explainRedis } from '../../server/bus/redis/explain.ts'
import { channelDefaults, createPeers } from '../../server/bus/redis/peers.ts'

const { silentMs, leaseMs } = channelDefaults

describe('what a node knows of the others by hearing them', () => {
  test('numbers that follow are no hole; one left out is, and what comes late after that is old', () => {
    const peers = createPeers(channelDefaults)
    expect([1, 2, 4, 3, 4, 5].map((number) => peers.heard('one', number, 0))).toEqual([
      'follows',
      'follows',
      'hole',
      'old',
      'old',
      'follows',
    ])
  })

  test('a node that starts is heard from its first number on; one that was there before was missed', () => {
    const peers = createPeers(channelDefaults)
    expect(peers.heard('new', 1, 0)).toBe('follows')
    expect(peers.heard('older', 7, 0)).toBe('hole')
    expect(peers.heard('older', 8, 0)).toBe('follows')
  })

  test('silence is known after a while, and again no silence', () => {
    const peers = createPeers(channelDefaults)
    peers.heard('one', 1, 0)
    expect(peers.isAnySilent(silentMs)).toBe(false)
    expect(peers.isAnySilent(silentMs + 1)).toBe(true)
    peers.heard('one', 2, silentMs + 1)
    expect(peers.isAnySilent(silentMs + 1)).toBe(false)
  })

  test('[P7] a lease runs out once; who comes back after it was missed, though its numbers follow', () => {
    const peers = createPeers(channelDefaults)
    peers.heard('one', 1, 5)
    expect(peers.takeLost(5 + leaseMs)).toEqual([])
    expect(peers.takeLost(6 + leaseMs)).toEqual([{ node: 'one', heardAt: 5 }])
    expect(peers.takeLost(7 + leaseMs)).toEqual([])
    expect(peers.heard('one', 2, 8 + leaseMs)).toBe('hole')
    expect(peers.takeLost(9 + leaseMs)).toEqual([])
  })

  test('time in which this process stood still is nobody else’s silence', () => {
    const peers = createPeers(channelDefaults)
    peers.heard('one', 1, 0)
    peers.excuse(leaseMs)
    expect(peers.takeLost(leaseMs + 100)).toEqual([])
  })

  test('[P5] a lost node counts as silent until the store says that it is not at work', () => {
    const peers = createPeers(channelDefaults)
    peers.heard('one', 1, 0)
    const later = leaseMs + 1
    peers.takeLost(later)
    expect(peers.settle(['one'], later)).toEqual({ died: [], unheard: ['one'] })
    expect(peers.isAnySilent(later)).toBe(true)
    expect(peers.settle([], later)).toEqual({ died: ['one'], unheard: [] })
    expect(peers.isAnySilent(later)).toBe(false)
  })

  test('[P5] a node at work that was never heard counts as silent, but not one that said goodbye', () => {
    const peers = createPeers(channelDefaults)
    peers.heard('left', 1, 0)
    peers.depart('left')
    expect(peers.settle(['left', 'unheard'], 0)).toEqual({ died: [], unheard: ['unheard'] })
    expect(peers.isAnySilent(0)).toBe(true)
    expect(peers.heard('unheard', 5, 0)).toBe('hole')
    expect(peers.isAnySilent(0)).toBe(false)
  })
})

test('a batch says who said what; what is no batch is passed over', () => {
  const text = writeBatch('node-1', 12, [writeLine('event', 'ada,bob', '{"a":"x"}'), writeLine('ask', '', '')])
  expect(readBatch(text)).toEqual({ node: 'node-1', number: 12 })
  expect([...readLines(text)]).toEqual([
    { topic: 'event', head: 'ada,bob', body: '{"a":"x"}' },
    { topic: 'ask', head: '', body: '' },
  ])
  expect([...readLines(writeBatch('node-1', 1, []))]).toEqual([])
  for (const other of ['', 'hello', 'parley1\tnode\t1', 'parley2\tnode\tmany', '{"json":1}']) {
    expect(readBatch(other)).toBeNull()
  }
})

test('no words about Redis hold the password, whatever the driver says', () => {
  const url = 'redis://someone:p%40ss%3Aword@cache.example:6380/2'
  const told = explainRedis(new Error('something about p@ss:word and p%40ss%3Aword of someone'), url)
  expect(told).toBe('Redis cannot be used at cache.example:6380: something about *** and *** of someone.')
})
