import { expect, test } from 'vitest'
import { chatOf, isEmpty } from '../harness/chat.ts'
import { jumpingClock } from '../harness/jumping-clock.ts'
import { startWorld } from '../harness/world.ts'

// How long the outbox tries is told by the time in which its program ran: not by clocks, nor by the sleep of a machine.

const hourMs = 3_600_000

/** The monotonic clock of this process jumps, as it does on some systems with a sleep of the machine. */
const jumpMonotonic = (ms: number): Disposable => {
  const now = performance.now.bind(performance)
  performance.now = () => now() + ms
  return {
    [Symbol.dispose]() {
      Reflect.deleteProperty(performance, 'now')
    },
  }
}

test.each([
  ['the clock of the machine is set 25 h ahead', 25, 0],
  ['the machine sleeps over the weekend, and its monotonic clock goes on', 60, 60],
  ['the machine sleeps over the weekend, and its monotonic clock stands still', 60, 0],
])('[P2] what waits in an outbox while %s is sent', async (_, hours, monotonicHours) => {
  await using world = await startWorld()
  const [ada, bob] = await world.people('ada', 'bob')
  using clock = jumpingClock()
  ada.network.cut()
  await using chat = chatOf(ada)
  const { sent } = chat.send({ to: 'bob', text: 'one' })
  await expect.poll(() => chat.client.state.status).toBe('offline')
  clock.set(hours * hourMs)
  using _jumped = jumpMonotonic(monotonicHours * hourMs)
  ada.network.restore()
  chat.client.retryNow()
  await sent
  expect(await bob.received(1)).toEqual(['one'])
  await isEmpty(chat)
})
