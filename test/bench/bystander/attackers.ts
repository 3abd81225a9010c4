import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { AttackerOptions, Outcome } from './attacker.ts'

const program = fileURLToPath(new URL('./attacker.js', import.meta.url))
const endWaitMs = 10_000

export interface RunningAttack {
  end(): Promise<Outcome>
}

/** @returns when it has begun */
export const startAttacker = async (options: AttackerOptions): Promise<RunningAttack> => {
  const child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await lines.next()
  return {
    async end() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), endWaitMs)
      const { value } = await lines.next()
      await exited
      clearTimeout(timer)
      if (value === undefined) throw new Error(`The attack ${options.name} ended by itself.`)
      return JSON.parse(value)
    },
  }
}
