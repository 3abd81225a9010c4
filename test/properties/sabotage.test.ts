import { expect, test } from 'vitest'
import { isLongForm, skippedShort } from '../harness/long-forms.ts'
import { explore } from './explore.ts'
import { faults } from './sabotage.ts'

// The schedules are rough enough, and their judge is strict enough, to find what an SDK could do wrong.

test.skipIf(!isLongForm).each(Object.entries(faults))(
  `%s would be found${isLongForm ? '' : skippedShort}`,
  async (_, sabotage) => {
    const failure = await explore({ seed: 1, count: 100, lanes: 12, onOneServer: true, sabotage, deadlineMs: 100_000 })
    expect(failure?.cause).toMatchObject({ name: 'Finding' })
  },
)
