import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

// From the sources, as tests are run, or from what they are compiled to.
const root = import.meta.url.endsWith('.ts') ? '../../dist' : '../..'
const main = fileURLToPath(new URL(`${root}/server/main.js`, import.meta.url))

/** `npm start`, without npm: the server as a process of its own. */
export const startProcess = async (environment: Record<string, string>) => {
  const child = run(environment)
  let stderr = ''
  child.stderr?.on('data', (data) => {
    stderr += data
  })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const url = await Promise.race([
    once(lines, 'line').then(([line]) => /^parley listening on (http:\S+)$/.exec(String(line))?.[1]),
    once(child, 'exit').then(() => undefined),
  ])
  if (url === undefined) throw new Error(`The server did not start: ${stderr}`)
  return {
    url,
    /** As when whoever started it has ended. */
    closeOutput() {
      child.stdout?.destroy()
      child.stderr?.destroy()
    },
    /** @returns the exit code, null after a kill */
    async stop(signal: NodeJS.Signals): Promise<number | null> {
      const exit = once(child, 'exit')
      child.kill(signal)
      return (await exit)[0]
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await this.stop('SIGKILL')
    },
  }
}

/** A start that is expected to fail. */
export const failToStart = async (environment: Record<string, string>) => {
  const child = run(environment)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data) => {
      output += data
    })
  }
  const [code] = await once(child, 'close')
  return { code, output }
}

const run = (environment: Record<string, string>): ChildProcess =>
  spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH, PORT: '0', RATE_LIMITS: 'off', LOG_LEVEL: 'error', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
