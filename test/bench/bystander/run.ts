import { option, parleyProgram, textOption } from '../load/load.ts'
import { runs } from './attacks/index.ts'
import { measure } from './measure.ts'
import { tableHead, tableRow } from './table.ts'

/**
 * What somebody notices of attacks on the server, with its default limits: a table in Markdown, a row for each attack. Each
 * has a server and a store of its own. On Linux: attackers and the bystander have different addresses of the loopback.
 *
 *   npm run build && node dist/test/bench/bystander/run.js [--only replay,junk] [--seconds 10] [--seconds-after 60]
 *     [--profile] [--server path/to/dist/server/main.js] [--conversations 400] [--messages 50]
 *
 * `--server` runs another build of the server, such as an older one; the store is seeded by this one.
 */
const only = textOption('only')?.split(',') ?? Object.keys(runs)
const seconds = process.argv.includes('--seconds') ? option('seconds', 0) : null
const secondsAfter = option('seconds-after', 0)
const profile = process.argv.includes('--profile') ? ['--cpu-prof', '--cpu-prof-dir', '.bench'] : []
const server = [...profile, textOption('server') ?? parleyProgram]

const unknown = only.filter((name) => !(name in runs))
if (unknown.length > 0)
  throw new Error(`There is no attack ${unknown.join(', ')}. There are: ${Object.keys(runs).join(', ')}.`)

process.stdout.write(tableHead)
for (const name of only) {
  process.stdout.write(tableRow(await measure({ name, parts: runs[name] as string[], server, seconds, secondsAfter })))
}
