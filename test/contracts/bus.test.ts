import { describe, expect, test } from 'vitest'
import { createInProcessBus } from '../../server/bus/in-process.ts'
import type { Bus, PublishedChange } from '../../server/domain/ports.ts'
import { joinSome } from '../harness/joined.ts'
import { createInbox } from '../harness/plain-client.ts'
import { redisIsInstalled } from '../harness/redis.ts'
import { busContract, conversation, message, seqOf } from './bus.ts'

busContract('in-process', async () => {
  const bus = createInProcessBus()
  return { here: bus, there: bus, async [Symbol.asyncDispose]() {} }
})

const times = { beatMs: 50, silentMs: 200, leaseMs: 1_000, stuckMs: 500 }

const become = async (buses: Bus[], whole: boolean) => {
  while (buses.some((bus) => bus.whole() !== whole)) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** What a listener hears, as words in their order. */
const listenAt = (bus: Bus) => {
  const heard = createInbox<string>()
  bus.listen(
    ['bob'],
    (change) => heard.add(`${seqOf(change)}`),
    () => heard.add('gap'),
  )
  return heard
}

describe.skipIf(!redisIsInstalled)('over Redis (skipped where redis-server is not installed)', () => {
  busContract('Redis', async () => {
    const { nodes, ...opened } = await joinSome(2)
    const [here, there] = nodes
    if (!here || !there) throw new Error('two nodes were asked for')
    return { here: here.bus, there: there.bus, [Symbol.asyncDispose]: opened[Symbol.asyncDispose] }
  })

  test('what was published while Redis was away is a gap once it is back, at both ends', async () => {
    await using opened = await joinSome(2, { times })
    const [here, there] = opened.nodes.map(({ bus }) => bus) as [Bus, Bus]
    const [atHere, atThere] = [listenAt(here), listenAt(there)]
    await opened.redis.stop()
    here.publish(conversation, message(1))
    await opened.redis.start()
    const isGap = (words: string): words is 'gap' => words === 'gap'
    await Promise.all([atHere.first(isGap), atThere.first(isGap)])
    expect(atThere.items).not.toContain('1')
    expect(atHere.items[0]).toBe('1')
  })

  test('what is published while one side is not back yet is told, or is a gap at the other', async () => {
    await using opened = await joinSome(2, { times: { ...times, silentMs: 60_000, stuckMs: 60_000 } })
    const [here, there] = opened.nodes.map(({ bus }) => bus) as [Bus, Bus]
    const atThere = listenAt(there)
    await opened.redis.stop()
    await opened.redis.start()
    await atThere.first((words): words is 'gap' => words === 'gap')
    // At once, whether its own connection is back or not.
    here.publish(conversation, message(1))
    await atThere.until(() => atThere.items.length > 1)
    expect(['1', 'gap']).toContain(atThere.items[1])
  })

  test('it knows that it is not whole while Redis is away or hangs, and that it is again', async () => {
    await using opened = await joinSome(2, { times })
    const buses = opened.nodes.map(({ bus }) => bus)
    await opened.redis.stop()
    await become(buses, false)
    await opened.redis.start()
    await become(buses, true)
    opened.redis.freeze()
    await become(buses, false)
    opened.redis.thaw()
    await become(buses, true)
  })

  test('what a hanging Redis still held comes, without a gap, when it goes on soon', async () => {
    await using opened = await joinSome(2, { times: { ...times, stuckMs: 60_000 } })
    const [here, there] = opened.nodes.map(({ bus }) => bus) as [Bus, Bus]
    const heard = listenAt(there)
    opened.redis.freeze()
    here.publish(conversation, message(1))
    await become([there], false)
    opened.redis.thaw()
    await heard.first((words): words is '1' => words === '1')
    expect(heard.items).toEqual(['1'])
  })

  test('a node of the future: kinds, fields and topics that are not known are passed over, and what follows comes', async () => {
    await using opened = await joinSome(2)
    const [here, there] = opened.nodes.map(({ bus }) => bus) as [Bus, Bus]
    const heard = listenAt(there)
    const future = { kind: 'poll', version: 2, conversationId: conversation, poll: { options: ['a', 'b'] } }
    here.publish(conversation, future as unknown as PublishedChange)
    here.publish(conversation, Object.assign(message(1), { mood: 'bright' }))
    await heard.until(() => heard.items.length === 1)
    expect(heard.items).toEqual(['1'])
  })
})
