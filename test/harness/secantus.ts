import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { temporaryDirectory } from './directory.ts'
import { freePort } from './redis.ts'

/** A database of the test's own, which can be stopped without warning and started again on what it had synced. */
export interface TestDatabase extends AsyncDisposable {
  uri: string
  pid(): number | undefined
  kill(): Promise<void>
  start(): Promise<void>
}

/** @param program the `secantusd-py` of SecantusDB */
export const startSecantus = async (program: string): Promise<TestDatabase> => {
  const directory = await temporaryDirectory()
  const port = await freePort()
  let server: ChildProcess | null = null

  const start = async () => {
    const options = ['--storage-path', `${directory.path}/data`, '--sync-on-commit', '--log-level', 'ERROR']
    const child = spawn(program, ['--host', '127.0.0.1', '--port', `${port}`, ...options], { stdio: 'ignore' })
    server = child
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`${program} ended at start with code ${child.exitCode}`)
      await pause(50)
    }
  }
  const kill = async () => {
    const child = server
    server = null
    if (!child || child.exitCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }
  await start()
  return {
    uri: `mongodb://127.0.0.1:${port}/parley`,
    pid: () => server?.pid,
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill()
      await directory[Symbol.asyncDispose]()
    },
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
