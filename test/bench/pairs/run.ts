import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { PeerName } from './peers.ts'

/**
 * 100 pairs exchange messages of 120 bytes through Parley, every one synced to disk before its acknowledgement, and
 * through a bare Socket.IO relay without a store, in turn, three times; then the medians.
 *
 *   npm run build && node dist/test/bench/pairs/run.js [--seconds 5] [--pairs 100] [--in-flight 8] [--runs 3] [--profile]
 */
const option = (name: string, standard: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? standard : Number(process.argv[at + 1])
}
const runs = option('runs', 3)
const pairs = option('pairs', 100)
const inFlight = option('in-flight', 8)
const seconds = option('seconds', 5)
const profile = process.argv.includes('--profile')
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined

interface Result {
  acknowledged: number
  delivered: number
  p50: number
  p99: number
  /** Processor time of the server for each acknowledged message, all of it and its main thread's; on Linux only. */
  serverCpuUs?: number
  serverMainThreadUs?: number
  generatorCores: number
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))

const startServer = (peer: PeerName, directory: string): ChildProcess => {
  // As `npm start` does; the relay gains by it too.
  const flags = ['--max-semi-space-size=64', ...(profile ? ['--cpu-prof', '--cpu-prof-dir', '.bench'] : [])]
  const script = peer === 'parley' ? [here('../../../server/main.js')] : [here('./socket-io-server.js')]
  const directoryArgument = peer === 'socket.io+insert' ? [directory] : []
  return spawn(process.execPath, [...flags, ...script, ...directoryArgument], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, DATA_DIR: directory, PORT: '0', RATE_LIMITS: 'off', LOG_LEVEL: 'warn' },
  })
}

const measure = async (peer: PeerName): Promise<Result> => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'))
  const server = startServer(peer, directory)
  try {
    const [line] = await once(createInterface({ input: server.stdout as NodeJS.ReadableStream }), 'line')
    const url = String(line).split(' ').at(-1) as string
    const args = [here('./generator.js'), peer, url, server.pid, pairs, inFlight, seconds].map(String)
    const generator = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [answer] = await Promise.race([
      once(createInterface({ input: generator.stdout }), 'line'),
      once(generator, 'exit').then(([code]) => Promise.reject(new Error(`the load generator ended with ${code}`))),
    ])
    return JSON.parse(String(answer))
  } finally {
    server.kill('SIGINT')
    await once(server, 'exit')
    rmSync(directory, { recursive: true })
  }
}

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number

const names = (['parley', 'socket.io', 'socket.io+insert'] as const).filter((name) => !only || name === only)
const results = new Map<PeerName, Result[]>(names.map((name) => [name, []]))
for (let run = 1; run <= runs; run++) {
  for (const name of names) {
    const result = await measure(name)
    results.get(name)?.push(result)
    process.stdout.write(`run ${run} ${name}: ${JSON.stringify(result)}\n`)
  }
}
for (const [name, all] of results) {
  const of = (key: keyof Result) => median(all.map((result) => result[key] ?? Number.NaN))
  process.stdout.write(
    `${name}: ${of('acknowledged')} messages/s acknowledged, ${of('delivered')}/s delivered, p50 ${of('p50').toFixed(1)} ms, p99 ${of('p99').toFixed(1)} ms, ${of('serverCpuUs')} us of the server each\n`,
  )
}
