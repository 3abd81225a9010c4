import { describe, expect, test } from 'vitest'
import { createInProcessPresence } from '../../server/bus/in-process-presence.ts'
import { createPresenceTable } from '../../server/bus/redis/presence-table.ts'
import type { PresenceChange } from '../../server/domain/ports.ts'
import { joinSome, patient } from '../harness/joined.ts'
import { redisIsInstalled } from '../harness/redis.ts'
import { presenceContract } from './presence.ts'

presenceContract('in-process', async (clock) => {
  const presence = createInProcessPresence(clock)
  return { here: presence, there: presence, async [Symbol.asyncDispose]() {} }
})

describe.skipIf(!redisIsInstalled)('over Redis (skipped where redis-server is not installed)', () => {
  presenceContract('Redis', async (clock) => {
    const { nodes, ...opened } = await joinSome(2, { clock, times: patient })
    const [here, there] = nodes
    if (!here || !there) throw new Error('two nodes were asked for')
    return { here: here.presence, there: there.presence, [Symbol.asyncDispose]: opened[Symbol.asyncDispose] }
  })
})

test('[P7] the table of who is where: a person is gone when she is at no node any more, however it came about', () => {
  const told: PresenceChange[] = []
  const table = createPresenceTable((change) => told.push(change))
  const at = (seconds: number) => new Date(seconds * 1_000)
  table.add('one', 'ada', at(10), true)
  table.add('two', 'ada', at(5), false)
  table.add('two', 'bob', at(6), false)
  expect(table.online.get('ada')?.since).toEqual(at(5))
  // A list that came after moves were missed: Ada has gone there, Cyd has come.
  table.replace(
    'two',
    [
      ['bob', at(6)],
      ['cyd', at(7)],
    ],
    at(20),
    false,
  )
  expect(table.online.get('ada')?.since).toEqual(at(10))
  table.remove('two', 'nobody', at(21), false)
  table.remove('one', 'ada', at(22), true)
  table.replace('two', [], at(23), true)
  expect(told.map(({ userId, online, here }) => [userId, online, here])).toEqual([
    ['ada', true, true],
    ['bob', true, false],
    ['cyd', true, false],
    ['ada', false, true],
    ['bob', false, true],
    ['cyd', false, true],
  ])
  expect([...table.online.keys()]).toEqual([])
})
