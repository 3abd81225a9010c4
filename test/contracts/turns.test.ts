import { expect, test } from 'vitest'
import { createTurns } from '../../server/fairness/turns.ts'
import { createUsage } from '../../server/fairness/usage.ts'

interface Running {
  user: string
  end(): Promise<void>
}

/** What is run ends when it is told to, by a clock that is set. */
const createBench = ({ max, maxOfUser = max }: { max: number; maxOfUser?: number }) => {
  let now = 0
  const usage = createUsage(() => now)
  const turns = createTurns({ max, maxOfUser }, usage)
  const running: Running[] = []
  return {
    running: () => running.map(({ user }) => user),
    pass(ms: number) {
      now += ms
    },
    /** @param ms what it will have used when it ends */
    ask(user: string, ms = 1): void {
      const run = () =>
        new Promise<void>((resolve) => {
          const begun: Running = {
            user,
            end() {
              running.splice(running.indexOf(begun), 1)
              resolve()
              return settled
            },
          }
          running.push(begun)
        })
      const settled = turns(user, run, () => ms)
    },
    /** Ends what began first, and lets begin what is next. */
    async endFirst(): Promise<string> {
      await Promise.resolve()
      const { user, end } = running[0] as Running
      await end()
      return user
    },
  }
}

test('whoever used little of late is next, before all who wait longer and used more', async () => {
  const bench = createBench({ max: 1 })
  for (let i = 0; i < 5; i++) bench.ask('eve', 50)
  expect(await bench.endFirst()).toBe('eve')
  bench.ask('ada')
  bench.ask('ada')
  expect(await bench.endFirst()).toBe('eve')
  expect(await bench.endFirst()).toBe('ada')
  expect(await bench.endFirst()).toBe('ada')
  expect(bench.running()).toEqual(['eve'])
})

test('those who used as much take turns, however often each of them waits', async () => {
  const bench = createBench({ max: 1 })
  for (const user of ['eve', 'eve', 'eve', 'ada', 'ada', 'bo']) bench.ask(user, 0)
  const order: string[] = []
  for (let i = 0; i < 6; i++) order.push(await bench.endFirst())
  expect(order).toEqual(['eve', 'ada', 'bo', 'eve', 'ada', 'eve'])
})

test('so many run at once, and so many of one user', async () => {
  const bench = createBench({ max: 3, maxOfUser: 2 })
  for (const user of ['eve', 'eve', 'eve', 'ada', 'ada']) bench.ask(user)
  await Promise.resolve()
  expect(bench.running()).toEqual(['eve', 'eve', 'ada'])
})

test('what was used is forgotten within seconds', async () => {
  const bench = createBench({ max: 1 })
  bench.ask('eve', 500)
  await bench.endFirst()
  bench.pass(10_000)
  bench.ask('ada', 5)
  await bench.endFirst()
  for (const user of ['bo', 'ada', 'eve']) bench.ask(user)
  expect(await bench.endFirst()).toBe('bo')
  expect(await bench.endFirst()).toBe('eve')
  expect(bench.running()).toEqual(['ada'])
})
