import { describe, expect, test } from 'vitest'
import type { Presence, PresenceChange } from '../../server/domain/ports.ts'
import { advanceUntil, createTestClock } from '../harness/clock.ts'
import { createInbox } from '../harness/plain-client.ts'

export type TestClock = ReturnType<typeof createTestClock>

/** Two places at which people are connected; they may be one. */
export interface OpenedPresence extends AsyncDisposable {
  here: Presence
  there: Presence
}

const watch = (presence: Presence) => {
  const inbox = createInbox<PresenceChange>()
  const portions: PresenceChange[][] = []
  presence.listen((changes) => {
    portions.push(changes)
    for (const change of changes) inbox.add(change)
  })
  const is = (userId: string, online: boolean) =>
    inbox.first((change): change is PresenceChange => change.userId === userId && change.online === online)
  return { ...inbox, portions, is }
}
const namesAt = (presence: Presence) => [...presence.online().keys()].sort()

/** What every presence does (P7), sentence by sentence of the port. */
export const presenceContract = (name: string, open: (clock: TestClock) => Promise<OpenedPresence>): void => {
  describe(`the ${name} presence`, () => {
    test('[P7] who connects anywhere is online everywhere, since when she came', async () => {
      const clock = createTestClock()
      await using opened = await open(clock)
      const [atHere, atThere] = [watch(opened.here), watch(opened.there)]
      const since = new Date(clock.now())
      opened.here.connect('ada')
      const [change] = await advanceUntil(clock, 50, Promise.all([atHere.is('ada', true), atThere.is('ada', true)]))
      expect(change).toEqual({ userId: 'ada', online: true, at: since, here: true })
      for (const presence of [opened.here, opened.there]) expect(presence.online().get('ada')?.since).toEqual(since)
      expect(opened.here.here()).toEqual(['ada'])
    })

    test('[P7] who has several connections is gone after the last of them, and the time of grace', async () => {
      const clock = createTestClock()
      await using opened = await open(clock)
      const { here, there } = opened
      const atThere = watch(there)
      const [first, second, third] = [here.connect('ada'), here.connect('ada'), there.connect('ada')]
      const bob = here.connect('bob')
      // What was told before has come by then as well; the time of grace does not wait for a network.
      await advanceUntil(clock, 50, atThere.is('bob', true))
      first?.()
      first?.()
      third?.()
      bob()
      await advanceUntil(clock, 250, atThere.is('bob', false))
      expect(namesAt(there)).toEqual(['ada'])
      const leftAt = new Date(clock.now())
      second?.()
      const { at } = await advanceUntil(clock, 250, atThere.is('ada', false))
      expect(at).toEqual(leftAt)
      expect([namesAt(here), namesAt(there), here.here()]).toEqual([[], [], []])
    })

    test('[P7] who is back within the time of grace, anywhere, was never away', async () => {
      const clock = createTestClock()
      await using opened = await open(clock)
      const { here, there } = opened
      const atHere = watch(here)
      const leave = there.connect('ada')
      await advanceUntil(clock, 50, atHere.is('ada', true))
      leave()
      here.connect('ada')
      const bob = there.connect('bob')
      await advanceUntil(clock, 50, atHere.is('bob', true))
      bob()
      await advanceUntil(clock, 250, atHere.is('bob', false))
      expect(atHere.items.filter(({ userId, online }) => userId === 'ada' && !online)).toEqual([])
    })

    test('many who come at once are told in few portions, none larger than an event may be', async () => {
      const clock = createTestClock()
      await using opened = await open(clock)
      const atThere = watch(opened.there)
      const names = Array.from({ length: 1_200 }, (_, i) => `user${i}`)
      for (const userId of names) opened.here.connect(userId)
      await advanceUntil(
        clock,
        50,
        atThere.until(() => atThere.items.length >= names.length),
      )
      expect(atThere.items.map(({ userId }) => userId).sort()).toEqual(names.sort())
      expect(atThere.portions.map(({ length }) => length)).toEqual([500, 500, 200])
    })

    test('one who stopped listening is told nothing', async () => {
      const clock = createTestClock()
      await using opened = await open(clock)
      const told: PresenceChange[][] = []
      opened.here.listen((changes) => told.push(changes))()
      const other = watch(opened.here)
      opened.here.connect('ada')
      await advanceUntil(clock, 50, other.is('ada', true))
      expect(told).toEqual([])
    })
  })
}
