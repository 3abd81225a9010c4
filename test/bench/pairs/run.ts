import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type LoadResult, median, option, parleyProgram, putUnderLoad, startServer } from '../load/load.ts'
import type { PeerName } from '../load/peers.ts'

/**
 * 100 pairs exchange messages of 120 bytes through Parley, every one synced to disk before its acknowledgement, and
 * through a bare Socket.IO relay without a store, in turn, three times; then the medians.
 *
 *   npm run build && node dist/test/bench/pairs/run.js [--seconds 5] [--pairs 100] [--in-flight 8] [--runs 3] [--profile]
 */
const runs = option('runs', 3)
const load = { pairs: option('pairs', 100), inFlight: option('in-flight', 8), seconds: option('seconds', 5) }
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined
const profile = process.argv.includes('--profile') ? ['--cpu-prof', '--cpu-prof-dir', '.bench'] : []
const socketIoServer = fileURLToPath(new URL('./socket-io-server.js', import.meta.url))

const measure = async (peer: PeerName): Promise<LoadResult> => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'))
  const program = peer === 'parley' ? [parleyProgram] : [socketIoServer, ...(peer === 'socket.io' ? [] : [directory])]
  const server = await startServer([...profile, ...program], { DATA_DIR: directory })
  try {
    return await putUnderLoad({ ...load, peer, urls: [server.url], pids: { server: [server.pid] } })
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true })
  }
}

const names = (['parley', 'socket.io', 'socket.io+insert'] as const).filter((name) => !only || name === only)
const results = new Map<PeerName, LoadResult[]>(names.map((name) => [name, []]))
for (let run = 1; run <= runs; run++) {
  for (const name of names) {
    const result = await measure(name)
    results.get(name)?.push(result)
    process.stdout.write(`run ${run} ${name}: ${JSON.stringify(result)}\n`)
  }
}
for (const [name, all] of results) {
  const of = (pick: (result: LoadResult) => number | null | undefined) =>
    median(all.map((result) => pick(result) ?? Number.NaN))
  process.stdout.write(
    `${name}: ${of((r) => r.acknowledged)} messages/s acknowledged, ${of((r) => r.delivered)}/s delivered, p50 ${of((r) => r.p50).toFixed(1)} ms, p99 ${of((r) => r.p99).toFixed(1)} ms, ${of((r) => r.cpuUs.server)} us of the server each\n`,
  )
}
