import { describe, expect, test } from 'vitest'
import type { RateLimiter } from '../../server/domain/ports.ts'
import { createRateLimiter } from '../../server/domain/rates.ts'
import { createTestClock } from '../harness/clock.ts'
import { joinSome, patient } from '../harness/joined.ts'
import { redisIsInstalled } from '../harness/redis.ts'

/** Slow enough that nothing becomes free during a test. */
const rule = { name: 'guess', burst: 5, everyMs: 60_000 }
const isAllowed = (take: () => Promise<void> | void) =>
  Promise.resolve()
    .then(take)
    .then(
      () => true,
      (error) => {
        expect(error).toMatchObject({ kind: 'rateLimited', retryable: true, retryAfterMs: expect.any(Number) })
        return false
      },
    )
const allowedOf = async (count: number, take: (i: number) => Promise<void> | void) => {
  let allowed = 0
  for (let i = 0; i < count; i++) if (await isAllowed(() => take(i))) allowed++
  return allowed
}

const ratesContract = (
  name: string,
  open: () => Promise<{ here: RateLimiter; there: RateLimiter } & AsyncDisposable>,
): void => {
  describe(`the ${name} limiter`, () => {
    test('lets a burst through and no more, counted at all places, each key by itself', async () => {
      await using rates = await open()
      const { here, there } = rates
      expect(await allowedOf(8, (i) => (i % 2 ? here : there).take(rule, 'ada'))).toBe(5)
      expect(await allowedOf(8, (i) => (i % 2 ? here : there).take(rule, 'bob'))).toBe(5)
      expect(await allowedOf(1, () => here.take({ ...rule, name: 'other' }, 'ada'))).toBe(1)
    })

    test('what is refused is not counted; what is given back can be taken again', async () => {
      await using rates = await open()
      const { here, there } = rates
      expect(await allowedOf(20, () => here.take(rule, 'ada'))).toBe(5)
      here.giveBack(rule, 'ada')
      here.giveBack(rule, 'ada')
      expect(await allowedOf(5, () => there.take(rule, 'ada'))).toBe(2)
    })

    test('says when the next one is allowed', async () => {
      await using rates = await open()
      await allowedOf(5, () => rates.here.take(rule, 'ada'))
      const error = await rates.there.take(rule, 'ada').catch((error) => error)
      expect(error.retryAfterMs).toBeGreaterThan(50_000)
      expect(error.retryAfterMs).toBeLessThanOrEqual(60_000)
    })

    test('at once: each place lets no more than a burst through, and all together make up for it', async () => {
      await using rates = await open()
      const { here, there } = rates
      const now = (limiter: RateLimiter) => allowedOf(8, () => limiter.takeNow(rule, 'ada'))
      const allowed = (await now(here)) + (await now(there))
      expect(allowed).toBeLessThanOrEqual(10)
      expect(await allowedOf(3, (i) => (i % 2 ? here : there).take(rule, 'ada'))).toBe(0)
    })
  })
}

ratesContract('in-process', async () => {
  const limiter = createRateLimiter(createTestClock())
  return { here: limiter, there: limiter, async [Symbol.asyncDispose]() {} }
})

describe.skipIf(!redisIsInstalled)('over Redis (skipped where redis-server is not installed)', () => {
  const open = async () => {
    const clock = createTestClock()
    const { nodes, redis, ...opened } = await joinSome(2, { clock, times: patient })
    const [here, there] = nodes.map((node) => node.shareRates(createRateLimiter(clock)))
    if (!here || !there) throw new Error('two nodes were asked for')
    return { here, there, nodes, redis, clock, [Symbol.asyncDispose]: opened[Symbol.asyncDispose] }
  }
  ratesContract('Redis', open)

  test('what one node let through at once, the other knows after its own next one', async () => {
    await using rates = await open()
    const { here, there, clock } = rates
    expect(await allowedOf(5, () => here.takeNow(rule, 'ada'))).toBe(5)
    clock.advance(100)
    // Answered after what the first one told, since Redis answers in order.
    await here.take(rule, 'somebody')
    expect(await isAllowed(() => there.takeNow(rule, 'ada'))).toBe(true)
    await there.take(rule, 'somebody')
    expect(await isAllowed(() => there.takeNow(rule, 'ada'))).toBe(false)
  })

  test('a Redis that comes back empty knows the script again', async () => {
    await using rates = await open()
    await rates.here.take(rule, 'ada')
    await rates.redis.stop()
    expect(await allowedOf(8, () => rates.here.take(rule, 'ada'))).toBe(4)
    await rates.redis.start()
    const isBack = () => rates.nodes.every(({ bus, trouble }) => trouble() === null && bus.whole())
    while (!isBack()) await new Promise((resolve) => setTimeout(resolve, 5))
    const { here, there } = rates
    expect(await allowedOf(8, (i) => (i % 2 ? here : there).take(rule, 'bob'))).toBe(5)
  })

  test('keys are gone once they count nothing any more', async () => {
    await using rates = await open()
    await rates.here.take({ ...rule, everyMs: 20 }, 'ada')
    const { Redis } = await import('ioredis')
    const redis = new Redis(rates.redis.url)
    const keys = () => redis.keys('*')
    while ((await keys()).length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    redis.disconnect()
  })
})
