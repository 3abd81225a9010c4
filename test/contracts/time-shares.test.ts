import { expect, test } from 'vitest'
import { createTimeShares, type TimeShare } from '../../server/fairness/time-shares.ts'

/** Shares by a clock that moves on as work is done. */
const createBench = () => {
  let now = 0
  const shares = createTimeShares(() => now)
  const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    open: shares.open,
    nextTurn,
    pass(ms: number) {
      now += ms
    },
    /** Works for so long, if it may begin. */
    work(share: TimeShare, ms: number): boolean {
      const mayBegin = share.begin()
      if (mayBegin) now += ms
      return mayBegin
    },
    /** Works in pieces of a millisecond until it has to wait. @returns how many */
    async workOn(share: TimeShare): Promise<number> {
      let pieces = 0
      while (this.work(share, 1)) pieces++
      return pieces
    },
    async waited(share: TimeShare): Promise<void> {
      await new Promise<void>((resolve) => share.wait(resolve))
    },
  }
}

test('who has used a slice of this turn goes on in the next one', async () => {
  const bench = createBench()
  const eve = bench.open('eve')
  expect(await bench.workOn(eve)).toBe(1)
  await bench.waited(eve)
  expect(await bench.workOn(eve)).toBe(1)
})

test('the connections of one address share its slice, and those of others begin at once', async () => {
  const bench = createBench()
  const eves = Array.from({ length: 10 }, () => bench.open('eve'))
  const begun = eves.filter((eve) => bench.work(eve, 1))
  expect(begun).toHaveLength(2)
  expect(bench.work(bench.open('ada'), 1)).toBe(true)
})

test('one user at many addresses has one share', async () => {
  const bench = createBench()
  const eves = Array.from({ length: 10 }, (_, i) => bench.open(`address ${i}`))
  for (const eve of eves) eve.identify('eve')
  expect(eves.filter((eve) => bench.work(eve, 1))).toHaveLength(2)
})

test('in a turn that is used up only those begin who have used little of late', async () => {
  const bench = createBench()
  const heavy = Array.from({ length: 8 }, (_, i) => bench.open(`heavy ${i}`))
  for (let turn = 0; turn < 200; turn++) {
    for (const share of heavy) bench.work(share, 1)
    await bench.nextTurn()
  }
  expect(heavy.filter((share) => bench.work(share, 1)).length).toBeLessThanOrEqual(4)
  expect(bench.work(bench.open('light'), 1)).toBe(true)
})

test('of those who wait whoever has used least goes on first', async () => {
  const bench = createBench()
  const used = [50, 10, 30]
  const shares = used.map((ms, i) => {
    const share = bench.open(`address ${i}`)
    bench.work(share, ms)
    return share
  })
  await bench.nextTurn()
  const order: number[] = []
  await Promise.all(shares.map((share, i) => bench.waited(share).then(() => order.push(i))))
  expect(order).toEqual([1, 2, 0])
})

test('who has used up what she may have at once goes on as it drains, and is late until she has caught up', async () => {
  const bench = createBench()
  const eve = bench.open('eve')
  bench.work(eve, 300)
  await bench.nextTurn()
  expect(eve.begin()).toBe(false)
  await bench.nextTurn()
  const goesOn = bench.waited(eve)
  bench.pass(400)
  expect(eve.lateMs()).toBe(400)
  bench.pass(200)
  await goesOn
  expect(bench.work(eve, 1)).toBe(true)
  eve.rest()
  await bench.nextTurn()
  bench.work(eve, 90)
  await bench.nextTurn()
  const soon = bench.waited(eve)
  expect(eve.lateMs()).toBe(691)
  bench.pass(5_000)
  await soon
  eve.rest()
  bench.pass(200)
  const later = bench.waited(eve)
  expect(eve.lateMs()).toBe(0)
  await later
})

test('what is charged is counted, whether or not anything may begin', async () => {
  const bench = createBench()
  const eve = bench.open('eve')
  bench.work(eve, 300)
  await bench.nextTurn()
  bench.pass(100)
  eve.charge(100)
  await bench.nextTurn()
  bench.pass(600)
  expect(eve.begin()).toBe(false)
  await bench.nextTurn()
  bench.pass(500)
  expect(eve.begin()).toBe(true)
})

test('an answer that comes later is counted, and one that comes at once no second time', async () => {
  const bench = createBench()
  const eve = bench.open('eve')
  eve.work(() => bench.pass(300))
  await bench.nextTurn()
  expect(eve.begin()).toBe(false)
  const ada = bench.open('ada')
  expect(ada.begin()).toBe(true)
  ada.work(() => bench.pass(150))
  await bench.nextTurn()
  expect(ada.begin()).toBe(true)
})

test('what she used is remembered when she comes back', async () => {
  const bench = createBench()
  const eve = bench.open('eve')
  bench.work(eve, 500)
  await bench.nextTurn()
  eve.close()
  expect(bench.open('eve').begin()).toBe(false)
  await bench.nextTurn()
  bench.pass(5_000)
  expect(bench.open('eve').begin()).toBe(true)
})

test('what promises do that a piece of work set off is counted with it', async () => {
  const bench = createBench()
  const eve = bench.open('eve')
  const work = async () => {
    expect(eve.begin()).toBe(true)
    for (let i = 0; i < 10; i++) {
      await null
      bench.pass(50)
    }
  }
  await work()
  await bench.nextTurn()
  bench.pass(100)
  expect(eve.begin()).toBe(false)
})
