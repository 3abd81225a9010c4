import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findTestMongo, temporaryDatabase } from '../../harness/mongo.ts'
import { startRedis } from '../../harness/redis.ts'
import { type LoadResult, median, option, parleyProgram, putUnderLoad, startServer } from '../load/load.ts'

/**
 * What a message costs on one node and on several, in processor time of each kind of process: pairs exchange messages of
 * 120 bytes as in the benchmark of the pairs, and with several nodes no two of a pair are at the same one.
 *
 *   npm run build && node dist/test/bench/nodes/run.js [--seconds 5] [--pairs 50] [--in-flight 8] [--runs 3]
 *
 * The database is that of MONGODB_TEST_URI (see `test/harness/mongo.ts`); its cost is told where MONGODB_TEST_PID names
 * its process.
 */
const runs = option('runs', 3)
const load = { pairs: option('pairs', 50), inFlight: option('in-flight', 8), seconds: option('seconds', 5) }
const { uri: mongo, missing } = await findTestMongo()
if (mongo === null) throw new Error(`There is no MongoDB: ${missing}`)
const databasePid = process.env.MONGODB_TEST_PID

interface Setting {
  nodes: number
  store: 'SQLite' | 'MongoDB'
  redis: boolean
}
const settings: Setting[] = [
  { nodes: 1, store: 'SQLite', redis: false },
  { nodes: 1, store: 'SQLite', redis: true },
  { nodes: 1, store: 'MongoDB', redis: false },
  { nodes: 1, store: 'MongoDB', redis: true },
  { nodes: 2, store: 'MongoDB', redis: true },
  { nodes: 3, store: 'MongoDB', redis: true },
]

const measure = async ({ nodes, store, redis: withRedis }: Setting): Promise<LoadResult> => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'))
  const database = temporaryDatabase(mongo)
  await using redis = withRedis ? await startRedis() : null
  const environment = {
    DATA_DIR: directory,
    ...(store === 'MongoDB' && { MONGODB_URI: database.uri }),
    ...(redis && { REDIS_URL: redis.url }),
  }
  const servers = await Promise.all(Array.from({ length: nodes }, () => startServer([parleyProgram], environment)))
  try {
    const pids = {
      nodes: servers.map(({ pid }) => pid),
      ...(redis && { redis: [redis.pid] }),
      ...(store === 'MongoDB' && databasePid && { database: [Number(databasePid)] }),
    }
    return await putUnderLoad({ ...load, peer: 'parley', urls: servers.map(({ url }) => url), pids })
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    rmSync(directory, { recursive: true })
    if (store === 'MongoDB') await database.drop()
  }
}

const nameOf = ({ nodes, store, redis }: Setting) =>
  `${nodes} node${nodes > 1 ? 's' : ''}, ${store}${redis ? ', Redis' : ''}`
const results = new Map<Setting, LoadResult[]>(settings.map((setting) => [setting, []]))
for (let run = 1; run <= runs; run++) {
  for (const setting of settings) {
    const result = await measure(setting)
    results.get(setting)?.push(result)
    process.stdout.write(`run ${run}, ${nameOf(setting)}: ${JSON.stringify(result)}\n`)
  }
}
for (const [setting, all] of results) {
  const of = (pick: (result: LoadResult) => number | null | undefined) =>
    median(all.map((result) => pick(result) ?? Number.NaN))
  const costs = ['nodes', 'redis', 'database']
    .map((name) => ({ name, us: of(({ cpuUs }) => cpuUs[name]) }))
    .filter(({ us }) => !Number.isNaN(us))
    .map(({ name, us }) => `${name} ${us.toFixed(0)}`)
  process.stdout.write(
    `${nameOf(setting)}: ${of((r) => r.acknowledged)} messages/s, p50 ${of((r) => r.p50).toFixed(1)} ms, p99 ${of((r) => r.p99).toFixed(1)} ms; us each: ${costs.join(', ')}\n`,
  )
}
