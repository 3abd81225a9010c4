import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type LoadResult, median, option, parleyProgram, putUnderLoad, startServer, textOption } from '../load/load.ts'
import type { PeerName } from '../load/peers.ts'

/**
 * 100 pairs exchange messages of 120 bytes through Parley, every one synced to disk before its acknowledgement, and
 * through a bare Socket.IO relay without a store, in turn, three times; then the medians.
 *
 *   npm run build && node dist/test/bench/pairs/run.js [--seconds 5] [--pairs 100] [--in-flight 8] [--runs 3] [--profile]
 *     [--only parley,before] [--before path/to/dist/server/main.js]
 *
 * `--before` runs another build of the server beside it, such as an older one.
 */
const runs = option('runs', 3)
const load = { pairs: option('pairs', 100), inFlight: option('in-flight', 8), seconds: option('seconds', 5) }
const before = textOption('before')
const only = textOption('only')?.split(',')
const profile = process.argv.includes('--profile') ? ['--cpu-prof', '--cpu-prof-dir', '.bench'] : []
const socketIoServer = fileURLToPath(new URL('./socket-io-server.js', import.meta.url))

interface Contestant {
  name: string
  peer: PeerName
  program(directory: string): string[]
}
const all: Contestant[] = [
  { name: 'parley', peer: 'parley', program: () => [parleyProgram] },
  ...(before === undefined ? [] : [{ name: 'before', peer: 'parley', program: () => [before] } as const]),
  { name: 'socket.io', peer: 'socket.io', program: () => [socketIoServer] },
  { name: 'socket.io+insert', peer: 'socket.io+insert', program: (directory) => [socketIoServer, directory] },
]

const measure = async ({ peer, program }: Contestant): Promise<LoadResult> => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'))
  const server = await startServer([...profile, ...program(directory)], { DATA_DIR: directory })
  try {
    return await putUnderLoad({ ...load, peer, urls: [server.url], pids: { server: [server.pid] } })
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true })
  }
}

const contestants = all.filter(({ name }) => !only || only.includes(name))
const results = new Map<string, LoadResult[]>(contestants.map(({ name }) => [name, []]))
for (let run = 1; run <= runs; run++) {
  for (const contestant of contestants) {
    const result = await measure(contestant)
    results.get(contestant.name)?.push(result)
    process.stdout.write(`run ${run} ${contestant.name}: ${JSON.stringify(result)}\n`)
  }
}
for (const [name, found] of results) {
  const of = (pick: (result: LoadResult) => number | null | undefined) =>
    median(found.map((result) => pick(result) ?? Number.NaN))
  process.stdout.write(
    `${name}: ${of((r) => r.acknowledged)} messages/s acknowledged, ${of((r) => r.delivered)}/s delivered, p50 ${of((r) => r.p50).toFixed(1)} ms, p99 ${of((r) => r.p99).toFixed(1)} ms, ${of((r) => r.cpuUs.server)} us of the server each\n`,
  )
}
