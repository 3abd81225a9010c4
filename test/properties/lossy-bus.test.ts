import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createListeners } from '../../server/bus/listeners.ts'
import type { ChatEvent } from '../../server/contract/index.ts'
import type { Chat } from '../../server/domain/chat.ts'
import type { Bus, BusEvent, Store } from '../../server/domain/ports.ts'
import { temporarySqlite } from '../contracts/temporary-sqlite.ts'
import { createTestClock } from '../harness/clock.ts'
import { createRules } from '../harness/rules.ts'

/** So many versions before the one asked for are read again, ... */
const overlap = 4
/** ... and no event is under way, unknown to be lost, for as many. */
const lagMax = 3

type Side = 0 | 1
type Action =
  | { do: 'send'; at: Side; from: 'ada' | 'cyd'; count: number }
  | { do: 'deliver' | 'double' | 'swap' | 'lose'; to: Side }
  | { do: 'part' | 'join' | 'cut' | 'check' }
  | { do: 'resume'; at: Side }

const side = fc.constantFrom<Side>(0, 1)
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send'),
      at: side,
      from: fc.constantFrom('ada', 'cyd'),
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('deliver', 'double', 'swap', 'lose'), to: side }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('part', 'join', 'cut', 'check') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resume' as const), at: side }) },
) as fc.Arbitrary<Action>

const versionOf = (event: BusEvent) => (event.type === 'message' ? event.message.version : 0)

/** Two buses with a wire between them that is in the hands of the test. */
const createWire = () => {
  const ends = [0, 1].map(() => ({ listeners: createListeners(), coming: [] as [string[], BusEvent][] }))
  let whole = true
  const end = (of: Side) => ends[of] as (typeof ends)[0]
  const deliver = (to: Side) => {
    const [next] = end(to).coming.splice(0, 1)
    if (next) end(to).listeners.tell(...next)
  }
  const busAt = (here: Side): Bus => ({
    shared: true,
    whole: () => whole,
    publish(usernames, event) {
      end(here).listeners.tell(usernames, event)
      const there = here === 0 ? 1 : 0
      // What nobody can hear is lost.
      if (!whole) return
      end(there).coming.push([usernames, event])
      for (const to of [0, 1] as const) {
        while (end(to).coming.some(([, waiting]) => versionOf(waiting) <= versionOf(event) - lagMax)) deliver(to)
      }
    },
    listen: end(here).listeners.listen,
  })
  return {
    buses: [busAt(0), busAt(1)] as const,
    deliver,
    double(to: Side) {
      const [next] = end(to).coming
      if (next) end(to).coming.push(next)
    },
    swap: (to: Side) => void end(to).coming.reverse(),
    /** The bus finds out at once that it has lost one. */
    lose(to: Side) {
      end(to).coming.shift()
      end(to).listeners.gap('gap')
    },
    drain() {
      for (const to of [0, 1] as const) while (end(to).coming.length > 0) deliver(to)
    },
    part() {
      whole = false
      for (const { coming } of ends) coming.length = 0
    },
    join() {
      if (whole) return
      whole = true
      for (const { listeners } of ends) listeners.gap('gap')
    },
  }
}

test('[P3] [P5] however the bus loses, doubles, reorders and parts: who follows, is cut and resumes anywhere misses nothing', async () => {
  await using opened = await temporarySqlite()
  const store: Store = { ...opened.store, overlap }
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 20, maxLength: 80 }), fc.boolean(), async (actions, staysOn) => {
      round++
      const nameOf = (name: string) => `${name}${round}`
      for (const name of ['ada', 'bob', 'cyd']) {
        const username = nameOf(name)
        await store.createUser({ username, displayName: name, passwordHash: '', createdAt: new Date(0) })
      }
      const clock = createTestClock()
      const wire = createWire()
      const chats = wire.buses.map((bus) => createRules({ store, bus, clock })) as [Chat, Chat]

      const sent = new Set<string>()
      const seen = new Set<string>()
      let cursor: string | undefined
      let following = { isOn: false, stop: async () => {} }
      const follow = (at: Side) => {
        const controller = new AbortController()
        const newest = new Map<string, number>()
        const asItem = (id: string, event: ChatEvent) => ({ id, event })
        const input = { ack: 'client' as const, ...(cursor !== undefined && { lastEventId: cursor }) }
        const done = (async () => {
          for await (const { id, event } of chats[at].follow(nameOf('bob'), input, controller.signal, asItem)) {
            if (controller.signal.aborted) return
            cursor = id
            if (event.type !== 'message') continue
            const { conversationId, seq, text } = event.message
            expect(seq, 'in one order, once').toBeGreaterThan(newest.get(conversationId) ?? 0)
            newest.set(conversationId, seq)
            seen.add(text)
          }
        })()
        following = {
          isOn: true,
          stop: () => {
            following.isOn = false
            controller.abort()
            return done
          },
        }
      }
      const turn = () => new Promise((resolve) => setTimeout(resolve, 1))

      follow(0)
      await turn()
      for (const [i, step] of actions.entries()) {
        switch (step.do) {
          case 'send':
            for (let n = 0; n < step.count; n++) {
              const text = `${i}.${n}`
              sent.add(text)
              await chats[step.at].sendMessage(nameOf(step.from), { to: nameOf('bob'), text })
            }
            break
          case 'cut':
            await following.stop()
            break
          case 'resume':
            await following.stop()
            follow(step.at)
            break
          case 'check':
            clock.advance(5_000)
            break
          case 'part':
          case 'join':
            wire[step.do]()
            break
          default:
            wire[step.do](step.to)
        }
        if (i % 3 === 0) await turn()
      }
      // What was sent is published at the end of the turn.
      await turn()
      wire.join()
      wire.drain()
      if (!staysOn) await following.stop()
      if (!following.isOn) follow(1)
      for (let waited = 0; waited < 500 && seen.size < sent.size; waited++) await turn()
      await following.stop()
      for (const chat of chats) await chat[Symbol.asyncDispose]()
      expect([...sent].filter((text) => !seen.has(text))).toEqual([])
    }),
    // On a slow machine fewer runs; what fails stays a failure.
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 100), interruptAfterTimeLimit: 40_000 },
  )
}, 60_000)
