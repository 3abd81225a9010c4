import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { PeerName } from './peers.ts'

export interface LoadOptions {
  peer: PeerName
  /** People are spread over these in turn, so that with more than one no pair is at the same. */
  urls: string[]
  /** Groups of processes whose use of a processor is told. */
  pids: Record<string, number[]>
  pairs: number
  /** Messages of each person that are not acknowledged yet. */
  inFlight: number
  seconds: number
}

export interface LoadResult {
  /** Messages a second. */
  acknowledged: number
  delivered: number
  /** Milliseconds until the acknowledgement. */
  p50: number
  p99: number
  /** Processor time of each group for an acknowledged message, and of its main threads; null where there is no `/proc`. */
  cpuUs: Record<string, number | null>
  mainThreadUs: Record<string, number | null>
  generatorCores: number
}

/** What stands behind `--name` on the command line. */
export const textOption = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}

export const option = (name: string, standard: number): number => Number(textOption(name) ?? standard)

export const median = (numbers: number[]): number =>
  numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number

export interface BenchServer {
  url: string
  pid: number
  stop(): Promise<void>
}

/** @param args of node, the program among them; its first line ends with its address */
export const startServer = async (args: string[], environment: Record<string, string> = {}): Promise<BenchServer> => {
  // As `npm start` does.
  const server = spawn(process.execPath, ['--max-semi-space-size=64', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PORT: '0', RATE_LIMITS: 'off', LOG_LEVEL: 'warn', ...environment },
  })
  const line = await firstLineOf(server, 'the server')
  return {
    url: line.split(' ').at(-1) as string,
    pid: server.pid as number,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return
      server.kill('SIGINT')
      await once(server, 'exit')
    },
  }
}

export const parleyProgram = fileURLToPath(new URL('../../../server/main.js', import.meta.url))
const generatorProgram = fileURLToPath(new URL('./generator.js', import.meta.url))

export const putUnderLoad = async (options: LoadOptions): Promise<LoadResult> => {
  const generator = spawn(process.execPath, [generatorProgram, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(await firstLineOf(generator, 'the load generator'))
}

const firstLineOf = async (child: ChildProcess, who: string): Promise<string> => {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${who} ended with ${code}`))),
  ])
  return String(line)
}
