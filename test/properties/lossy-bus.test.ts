import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createListeners } from '../../server/bus/listeners.ts'
import type { ChatEvent, Message } from '../../server/contract/index.ts'
import type { Chat } from '../../server/domain/chat.ts'
import type { Audience, Bus, PublishedChange, Store } from '../../server/domain/ports.ts'
import { versionsPerMs } from '../../server/domain/version-time.ts'
import { temporarySqlite } from '../contracts/temporary-sqlite.ts'
import { createTestClock } from '../harness/clock.ts'
import { isLongForm } from '../harness/long-forms.ts'
import { createRules } from '../harness/rules.ts'

/** So far before the version asked for changes are read again, ... */
const overlap = 60_000 * versionsPerMs
/** ... and no event is under way, unknown to be lost, for as long. */
const lagMax = 30_000 * versionsPerMs

type Side = 0 | 1
type Action =
  | { do: 'send'; at: Side; from: 'ada' | 'cyd'; count: number }
  /** `which` counts back from the newest message of theirs. */
  | { do: 'edit' | 'delete'; at: Side; from: 'ada' | 'cyd'; which: number }
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
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('edit', 'edit', 'delete'),
      at: side,
      from: fc.constantFrom('ada', 'cyd'),
      which: fc.nat({ max: 20 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('deliver', 'double', 'swap', 'lose'), to: side }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('part', 'join', 'cut', 'check') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resume' as const), at: side }) },
) as fc.Arbitrary<Action>

/** Two buses with a wire between them that is in the hands of the test. */
const createWire = () => {
  const ends = [0, 1].map(() => ({ listeners: createListeners(), coming: [] as [Audience, PublishedChange][] }))
  let whole = true
  const end = (of: Side) => ends[of] as (typeof ends)[0]
  const deliver = (to: Side) => {
    const [next] = end(to).coming.splice(0, 1)
    if (next) end(to).listeners.tell(...next)
  }
  const busAt = (here: Side): Bus => ({
    shared: true,
    whole: () => whole,
    publish(audience, change) {
      end(here).listeners.tell(audience, change)
      const there = here === 0 ? 1 : 0
      // What nobody can hear is lost.
      if (!whole) return
      end(there).coming.push([audience, change])
      for (const to of [0, 1] as const) {
        while (end(to).coming.some(([, waiting]) => waiting.version <= change.version - lagMax)) deliver(to)
      }
    },
    listen: end(here).listeners.listen,
    listenToAll: end(here).listeners.listenToAll,
    onSessionEnd: end(here).listeners.onSessionEnd,
    endSession: end(here).listeners.tellSessionEnd,
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
      end(to).listeners.tellGap('gap')
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
      for (const { listeners } of ends) listeners.tellGap('gap')
    },
  }
}

test('[P3] [P5] however the bus loses, doubles, reorders and parts: who follows, is cut and resumes anywhere misses nothing', async () => {
  await using opened = await temporarySqlite()
  const store: Store = { ...opened.store, overlap }
  let round = 0
  const endsAt = performance.now() + (isLongForm ? 60_000 : 10_000)
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 20, maxLength: 80 }), fc.boolean(), async (actions, staysOn) => {
      // On a slow machine fewer rounds; what has failed stays a failure.
      if (performance.now() > endsAt) return
      round++
      const nameOf = (name: string) => `${name}${round}`
      for (const name of ['ada', 'bob', 'cyd']) {
        const userId = nameOf(name)
        await store.createUser({ userId, displayName: name, passwordHash: '', createdAt: new Date(0) })
      }
      const clock = createTestClock()
      const wire = createWire()
      const chats = wire.buses.map((bus) => createRules({ store, bus, clock })) as [Chat, Chat]

      /** By id, the latest state that was acknowledged. */
      const sent = new Map<string, Message>()
      /** The latest one that came. */
      const seen = new Map<string, Message>()
      const note = (states: Map<string, Message>, message: Message) => {
        if (message.version >= (states.get(message.id)?.version ?? 0)) states.set(message.id, message)
      }
      const missing = () =>
        [...sent.values()].filter(({ id, version }) => version > (seen.get(id)?.version ?? 0)).map(({ id }) => id)
      const change = async (step: Extract<Action, { which: number }>) => {
        const sender = nameOf(step.from)
        const own = [...sent.values()].filter((message) => message.sender === sender && !message.deletedAt)
        const message = own.at(-1 - (step.which % Math.max(1, own.length)))
        if (!message) return
        const { id: messageId, revision } = message
        const edit = { messageId, revision, text: `${message.text}, edited` }
        note(
          sent,
          step.do === 'edit'
            ? await chats[step.at].editMessage(sender, edit)
            : await chats[step.at].deleteMessage(sender, { messageId }),
        )
      }
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
            if (event.type !== 'message' && event.type !== 'messageChanged') continue
            const { conversationId, seq } = event.message
            if (event.type === 'message') {
              expect(seq, 'in one order, once').toBeGreaterThan(newest.get(conversationId) ?? 0)
              newest.set(conversationId, seq)
            }
            note(seen, event.message)
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
              const draft = { to: nameOf('bob'), text: `${i}.${n}` }
              note(sent, await chats[step.at].sendMessage(nameOf(step.from), draft))
            }
            break
          case 'edit':
          case 'delete':
            await change(step)
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
      try {
        await expect.poll(missing, { interval: 1, timeout: 20_000 }).toEqual([])
      } finally {
        await following.stop()
        for (const chat of chats) await chat[Symbol.asyncDispose]()
      }
    }),
    { numRuns: 100 },
  )
})
