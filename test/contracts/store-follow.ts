import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { randomSeed, seededRandom } from '../harness/seeded-random.ts'
import { storeFollower } from './store-reader.ts'
import { statesIn } from './store-subjects.ts'
import type { StoreWorld } from './store-world.ts'

const users = ['ada', 'bob', 'cleo', 'dora']
const writesEach = 40

export const followTests = (world: StoreWorld): void => {
  /** Writes one thing after another of what one user may do; others do so at the same time. */
  const writeAlone = async (userId: string, seed: number): Promise<void> => {
    const random = seededRandom(seed)
    for (let n = 0; n < writesEach; n++) {
      const conversationId = random.oneOf(world.conversationIds().filter((id) => world.isMember(userId, id)))
      const messages = world.messages(conversationId)
      // What came lately changes most: also while it is on its way to the readers.
      const near = messages.slice(random.whole(4) ? -5 : 0).filter(({ state }) => state.deletedAt === null)
      const mine = near.filter(({ state }) => state.sender === userId)
      const what = random.whole(10)
      const text = `${userId} ${n}`
      if (what < 4 || mine.length === 0) {
        const members = conversationId.split(':').slice(1)
        const other = members.find((name) => name !== userId)!
        await world.send(userId, conversationId.startsWith('group:') ? conversationId : other, text)
      } else if (what < 7) await world.edit(random.oneOf(mine).state, text)
      else if (what < 8) await world.delete(random.oneOf(mine).state)
      else if (what < 9) await world.read(userId, conversationId, messages.at(-1)!.state.seq)
      else await world.rename(userId, text)
    }
  }

  describe('readers beside writers', () => {
    test.each([1, 3, 1_000])(
      '[P5] who follows while others write, %i at a time, has everything at its latest state in the end',
      async (limit) => {
        for (const userId of users) await world.createUser(userId)
        const from = await world.present()
        const follow = [...users, null].map((reader) => ({
          reader,
          ...storeFollower(world.store, reader, from, limit),
        }))
        for (const [a, b] of [
          ['ada', 'bob'],
          ['bob', 'cleo'],
          ['dora', 'ada'],
        ] as const)
          await world.send(a, b, 'first')
        await world.send('ada', 'group:g1', 'first', { members: users })

        let isWriting = true
        const writing = Promise.all(users.map((userId, i) => writeAlone(userId, randomSeed * 100 + limit + i))).finally(
          () => {
            isWriting = false
          },
        )
        const reading = Promise.all(
          follow.map(async ({ readOn }) => {
            // A store that answers at once must not keep the writers waiting.
            for (; isWriting; await nextTurn()) await readOn()
          }),
        )
        await Promise.all([writing, reading])
        await world.present()

        for (const { reader, readOn, states, expectOrder } of follow) {
          await readOn()
          for (const [subject, state] of statesIn(world.changes(reader, from)))
            expect(states.get(subject), `${reader ?? 'everything'}: ${subject}`).toEqual(state)
          const concerned = statesIn(world.changes(reader, 0))
          expect([...states.keys()].filter((subject) => !concerned.has(subject))).toEqual([])
          expectOrder()
        }
      },
    )
  })
}
