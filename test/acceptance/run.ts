import { parseArgs } from 'node:util'
import { runAcceptance } from './acceptance.ts'

// node dist/test/acceptance/run.js [--seconds 120] [--users 60] [--rate 100] [--nodes 3] [--seed 1]
// SECANTUSD names the program of the database, as `.ci/mongodb` installs it.

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    users: { type: 'string', default: '60' },
    rate: { type: 'string', default: '100' },
    nodes: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
  },
})
const secantusd = process.env.SECANTUSD
if (!secantusd) throw new Error('SECANTUSD has to name the program secantusd-py; see .ci/mongodb')
const say = (words: string) => void process.stdout.write(`${words}\n`)
const { findings, ...figures } = await runAcceptance({
  seconds: Number(values.seconds),
  users: Number(values.users),
  rate: Number(values.rate),
  nodes: Number(values.nodes),
  seed: Number(values.seed),
  outageMs: 10_000,
  withDeaths: true,
  secantusd,
  say,
})
say(JSON.stringify(figures, null, 2))
for (const finding of findings.slice(0, 20)) say(finding)
say(findings.length === 0 ? 'Every promise was kept.' : `${findings.length} findings.`)
process.exitCode = findings.length === 0 ? 0 : 1
