import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from './directory.ts'
import { createInbox } from './plain-client.ts'

const command = fileURLToPath(new URL('../../client-sdk/bin/parley.js', import.meta.url))

export interface Call {
  stdin?: string
  environment?: Record<string, string>
}

/** A shell whose home is a folder of its own, to call `parley` in. */
export const openShell = async (url: string) => {
  const home = await temporaryDirectory()
  const running = new Set<ReturnType<typeof spawn>>()

  /** A call that goes on, such as `listen`. */
  const start = (args: string[], { stdin = '', environment = {} }: Call = {}) => {
    const child = spawn(process.execPath, [command, ...args], {
      env: { PATH: process.env.PATH, HOME: home.path, PARLEY_URL: url, ...environment },
    })
    running.add(child)
    child.on('close', () => running.delete(child))
    let stderr = ''
    child.stderr.on('data', (data) => {
      stderr += data
    })
    const lines = createInbox<string>()
    const reader = createInterface({ input: child.stdout }).on('line', lines.add)
    // A command that fails at once does not read what it is given.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    const closed = once(child, 'close')
    return {
      /** What it printed, as the objects that the lines are. */
      async json(count: number) {
        await lines.until(() => lines.items.length >= count)
        return lines.items.map((line) => JSON.parse(line))
      },
      stop: (signal: NodeJS.Signals) => child.kill(signal),
      /** As `head` does when it has enough. */
      stopReading() {
        reader.close()
        child.stdout.destroy()
      },
      /** Its exit code and all that it wrote, once it has ended. */
      async end() {
        const [code] = await closed
        return { code: code as number | null, stdout: lines.items.join('\n'), stderr }
      },
    }
  }

  return {
    sessions: join(home.path, '.config/parley'),
    file: (name: string) => join(home.path, name),
    start,
    run: (args: string[], call?: Call) => start(args, call).end(),
    /** A call that succeeds. @returns the objects it printed */
    async json(args: string[], call?: Call) {
      const { code, stdout, stderr } = await start(args, call).end()
      if (code !== 0 || stderr !== '') throw new Error(`parley ${args.join(' ')} ended with ${code}: ${stderr}`)
      return stdout === '' ? [] : stdout.split('\n').map((line) => JSON.parse(line))
    },
    async [Symbol.asyncDispose]() {
      for (const child of running) {
        child.kill('SIGKILL')
        await once(child, 'close')
      }
      await home[Symbol.asyncDispose]()
    },
  }
}
