import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { temporaryDirectory } from './directory.ts'

/** Tests that need it say in their name that they are skipped without. */
export const redisIsInstalled = spawnSync('redis-server', ['--version']).status === 0
if (!redisIsInstalled && process.env.REQUIRE_SERVICES === '1')
  throw new Error('redis-server is not installed, and REQUIRE_SERVICES=1 asks for it')

export interface TestRedis extends AsyncDisposable {
  url: string
  port: number
  readonly pid: number
  /** Ends the server; what it held is gone. */
  stop(): Promise<void>
  /** A new, empty one on the same port. */
  start(): Promise<void>
  /** Holds the process: connections stay open, and nobody answers. */
  freeze(): void
  thaw(): void
}

/** A real redis-server of its own on a free port of the loopback, which keeps nothing on disk. */
export const startRedis = async ({
  password,
  more = [],
}: {
  password?: string
  more?: string[]
} = {}): Promise<TestRedis> => {
  const port = await freePort()
  const directory = await temporaryDirectory()
  let server: ChildProcess | null = null

  const start = async () => {
    const options = ['--save', '', '--appendonly', 'no', '--dir', directory.path, '--bind', '127.0.0.1']
    const secret = password === undefined ? [] : ['--requirepass', password]
    const child = spawn('redis-server', ['--port', `${port}`, ...options, ...secret, ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    server = child
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('Ready to accept connections')) break
    }
    if (child.exitCode !== null) throw new Error(`redis-server ended at start with code ${child.exitCode}`)
    child.stdout.resume()
  }
  const stop = async () => {
    const child = server
    server = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }
  await start()

  return {
    url: `redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`,
    port,
    get pid() {
      return server?.pid as number
    },
    stop,
    start,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await stop()
      await directory[Symbol.asyncDispose]()
    },
  }
}

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
