import { parseArgs } from 'node:util'
import { explore, type Failure, shrink } from './explore.ts'

// node dist/test/properties/run.js --schedules 2000 --seed 7

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    lanes: { type: 'string', default: '20' },
    replay: { type: 'string' },
    times: { type: 'string', default: '10' },
  },
})
const say = (text: string) => void process.stdout.write(`${text}\n`)
const tell = ({ schedule, cause }: Failure) => say(`${(cause as Error)?.stack ?? cause}\n${JSON.stringify(schedule)}`)

if (values.replay) {
  const failure = await shrink(JSON.parse(values.replay), Number(values.times))
  if (failure) tell(failure)
  else say('It holds.')
  process.exitCode = failure ? 1 : 0
} else {
  const seed = Number(values.seed)
  const count = Number(values.schedules)
  say(`${count} schedules of seed ${seed}`)
  const failure = await explore({
    seed,
    count,
    lanes: Number(values.lanes),
    onPlayed: (played) => played % 100 === 0 && say(`${played}`),
  })
  if (failure) {
    say(`Schedule ${failure.index} of seed ${seed} fails:`)
    tell(failure)
  } else say('All hold.')
  process.exitCode = failure ? 1 : 0
}
