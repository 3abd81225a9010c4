import { describe, expect, test } from 'vitest'
import { explore } from './explore.ts'
import { faults } from './sabotage.ts'

// Whatever the network does, chats lose nothing, double nothing and keep the order. The header of run.ts says how to play
// more schedules than these, and how to play one again that has failed here.

const seed = Number(process.env.SEED ?? 1)
const count = Number(process.env.SCHEDULES ?? 100)

describe('chats through a rough network', () => {
  test(`[P2] [P3] [P4] [P6] ${count} schedules: 0 lost, 0 doubled, 0 out of order, nothing left in an outbox`, async () => {
    expect(await explore({ seed, count, lanes: 20 })).toBeNull()
  }, 120_000)

  test.each(Object.entries(faults))(
    '%s would be found',
    async (_, sabotage) => {
      const failure = await explore({ seed, count, lanes: 20, sabotage })
      expect(failure?.cause).toMatchObject({ name: 'Finding' })
    },
    60_000,
  )
})
