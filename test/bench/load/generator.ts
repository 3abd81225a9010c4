import { once } from 'node:events'
import { WebSocket } from 'ws'
import { cpuSeconds } from './cpu-time.ts'
import type { LoadOptions, LoadResult } from './load.ts'
import { type Peer, peers } from './peers.ts'

/**
 * The load, in a process of its own: pairs of people who send to each other as fast as answers come, each with so many
 * messages in flight. Frames are made and told apart as text, alike for all peers, so that the server is what is measured.
 */
const options: LoadOptions = JSON.parse(process.argv[2] as string)
const { urls, pids, pairs, inFlight, seconds } = options
const peer: Peer = peers[options.peer]
const text = 'x'.repeat(120)

let measuring = false
let stopping = false
const counted = { acknowledged: 0, delivered: 0 }
const latencies: number[] = []

const connect = async (index: number) => {
  const socket = new WebSocket(peer.socketUrl(urls[index % urls.length] as string), { perMessageDeflate: false })
  await once(socket, 'open')
  await peer.signIn(socket, index)
  let next = 0
  const sentAt = new Map<number, number>()

  const send = () => {
    const n = ++next
    if (n % 10 === 0) sentAt.set(n, performance.now())
    socket.send(peer.message(index, index ^ 1, n, text))
  }
  socket.on('message', (data: Buffer) => {
    const frame = data.toString('latin1')
    const answered = peer.answered(frame)
    if (answered !== null) {
      if (answered < 0) throw new Error(`refused: ${frame}`)
      if (measuring) counted.acknowledged++
      const at = sentAt.get(answered)
      if (at !== undefined) {
        sentAt.delete(answered)
        if (measuring) latencies.push(performance.now() - at)
      }
      if (!stopping) send()
    } else if (peer.isDelivery(frame, index)) {
      if (measuring) counted.delivered++
    } else peer.other(frame, socket)
  })
  return send
}

/** What these processes have used of a processor so far; null where that cannot be told. */
const cpuOf = (all: number[]) => {
  const used = all.map(cpuSeconds).filter((seconds) => seconds !== null)
  const sum = (part: 'process' | 'mainThread') => used.reduce((total, seconds) => total + seconds[part], 0)
  return used.length > 0 && used.length === all.length
    ? { process: sum('process'), mainThread: sum('mainThread') }
    : null
}
const readCpu = () => new Map(Object.entries(pids).map(([name, all]) => [name, cpuOf(all)]))

const senders = await Promise.all(Array.from({ length: pairs * 2 }, (_, index) => connect(index)))
for (const send of senders) for (let i = 0; i < inFlight; i++) send()
await new Promise((resolve) => setTimeout(resolve, 2_000))
measuring = true
const cpu = process.cpuUsage()
const before = readCpu()
const start = performance.now()
await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
measuring = false
const elapsed = (performance.now() - start) / 1_000
const used = process.cpuUsage(cpu)
const after = readCpu()
stopping = true

latencies.sort((a, b) => a - b)
const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN
const usPerMessage = (name: string, part: 'process' | 'mainThread') => {
  const [from, to] = [before.get(name), after.get(name)]
  return from && to ? Number((((to[part] - from[part]) * 1e6) / counted.acknowledged).toFixed(2)) : null
}
const result: LoadResult = {
  acknowledged: Math.round(counted.acknowledged / elapsed),
  delivered: Math.round(counted.delivered / elapsed),
  p50: at(0.5),
  p99: at(0.99),
  cpuUs: Object.fromEntries(Object.keys(pids).map((name) => [name, usPerMessage(name, 'process')])),
  mainThreadUs: Object.fromEntries(Object.keys(pids).map((name) => [name, usPerMessage(name, 'mainThread')])),
  generatorCores: Number(((used.user + used.system) / 1e6 / elapsed).toFixed(2)),
}
process.stdout.write(`${JSON.stringify(result)}\n`)
process.exit(0)
