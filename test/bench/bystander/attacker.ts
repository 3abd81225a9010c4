import { once } from 'node:events'
import { setPriority } from 'node:os'
import type { Attacker, Traffic } from './attack.ts'
import { attacks } from './attacks/index.ts'

// One attack, in a process of its own, until it is ended; then it writes what it counted. Who attacks has machines of
// their own: here, the server and the bystander come first.
setPriority(5)

/** What the runner says. */
export interface AttackerOptions extends Pick<Attacker, 'address' | 'seconds'> {
  name: string
  url: string
}

/** What it writes at the end. */
export interface Outcome {
  traffic: Traffic
  besides: string | undefined
}

const { name, url, address, seconds }: AttackerOptions = JSON.parse(process.argv[2] as string)
const over = new AbortController()
const ended = once(over.signal, 'abort')
process.on('SIGTERM', () => over.abort())
// An attack that has found out what it wanted still waits to be ended.
const alive = setInterval(() => {}, 1_000)
const traffic: Traffic = { cut: 0, refused: 0, read: 0, written: 0 }
process.stdout.write('attacking\n')
const besides = await attacks[name]?.run({ url: new URL(url), address, seconds, signal: over.signal, traffic })
await ended
clearInterval(alive)
const outcome: Outcome = { traffic, besides }
process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0))
