import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isLongForm } from '../harness/long-forms.ts'
import type { WebSockets } from '../harness/proxy.ts'
import { type Person, startWorld, type World } from '../harness/world.ts'

// Two people talk while the network is cut and WebSockets are blocked and let through again, at moments that a seed decides.
// More of them: SCHEDULES=100 npx vitest run --config test/vitest.config.ts test/faults/transport.test.ts

const schedules = Number(process.env.SCHEDULES ?? (isLongForm ? 6 : 2))
const stepsMax = 12

const step = fc.record({
  afterMs: fc.nat(500),
  whose: fc.nat(1),
  what: fc.oneof(
    fc.constant({ type: 'kick' as const }),
    fc.record({ type: fc.constant('cut' as const), ms: fc.nat(600) }),
    fc.record({
      type: fc.constant('webSockets' as const),
      become: fc.constantFrom<WebSockets>('pass', 'refused', 'unanswered', 'swallowed', 'reset'),
    }),
    fc.record({ type: fc.constant('gateway' as const), status: fc.constantFrom(200, 502, 503) }),
  ),
})
const schedule = fc.array(step, { minLength: stepsMax, maxLength: stepsMax })
type Step = (typeof step extends fc.Arbitrary<infer Value> ? Value : never) & object

const take = async ({ afterMs, whose, what }: Step, people: Person[], world: World) => {
  await pause(afterMs)
  const { network } = people[whose] as Person
  if (what.type === 'kick') network.kick()
  if (what.type === 'gateway') world.proxy.answer(1, what.status)
  if (what.type === 'webSockets') world.proxy.webSockets = what.become
  if (what.type !== 'cut') return
  network.cut()
  await pause(what.ms)
  network.restore()
}

describe.concurrent('through whatever becomes of WebSockets', () => {
  const seeds = Array.from({ length: schedules }, (_, i) => i + 1)
  test.for(seeds)('[P2] [P3] [P4] [P5] schedule %i', async (seed) => {
    const [steps = []] = fc.sample(schedule, { seed, numRuns: 1 })
    await using world = await startWorld({ webSockets: 'pass' })
    const people = await world.people('ada', 'bob')
    let isOver = false
    let sent = 0
    const sendOn = async ({ name, client }: Person) => {
      const to = name === 'ada' ? 'bob' : 'ada'
      for (let n = 0; !isOver; n++) {
        await client.sendMessage({ to, text: `${name} ${n}` }, { timeoutMs: 60_000 })
        sent++
      }
    }
    const sending = Promise.all(people.map(sendOn))
    for (const step of steps) await take(step, people, world)
    isOver = true
    await sending
    for (const { inbox } of people) {
      await inbox.until(() => inbox.items.length >= sent)
      expect(inbox.items.map(({ seq }) => seq)).toEqual(Array.from({ length: sent }, (_, i) => i + 1))
    }
  })
})
