import { expect, test } from 'vitest'
import { isLongForm } from '../harness/long-forms.ts'
import { explore } from './explore.ts'

// Whatever the network does, chats lose nothing, double nothing and keep the order. The header of run.ts says how to play
// more schedules than these, those with a restored store among them, and how to play one again that has failed here.

const seed = Number(process.env.SEED ?? 1)
const count = Number(process.env.SCHEDULES ?? (isLongForm ? 60 : 15))

test(`[P2] [P3] [P4] [P6] ${count} schedules through a rough network: 0 lost, 0 doubled, 0 out of order, nothing left in an outbox`, async () => {
  expect(await explore({ seed, count, lanes: 20, onOneServer: true })).toBeNull()
})
