import { once } from 'node:events'
import { WebSocket } from 'ws'
import { cpuSeconds } from './cpu-time.ts'
import { type Peer, peers } from './peers.ts'

/**
 * The load, in a process of its own: pairs of people who send to each other as fast as answers come, each with so many
 * messages in flight. Frames are made and told apart as text, alike for all peers, so that the server is what is measured.
 */
const [peerName = '', url = '', serverPid = '', pairs = '100', inFlight = '8', seconds = '5'] = process.argv.slice(2)
const peer = peers[peerName as keyof typeof peers] as Peer
const text = 'x'.repeat(120)

let measuring = false
let stopping = false
const counted = { acknowledged: 0, delivered: 0 }
const latencies: number[] = []

const connect = async (index: number) => {
  const socket = new WebSocket(peer.socketUrl(url), { perMessageDeflate: false })
  await once(socket, 'open')
  await peer.signIn(socket, index)
  let next = 0
  const sentAt = new Map<number, number>()

  const send = () => {
    const n = ++next
    if (n % 50 === 0) sentAt.set(n, performance.now())
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

const senders = await Promise.all(Array.from({ length: Number(pairs) * 2 }, (_, index) => connect(index)))
for (const send of senders) for (let i = 0; i < Number(inFlight); i++) send()
await new Promise((resolve) => setTimeout(resolve, 2_000))
measuring = true
const cpu = process.cpuUsage()
const serverCpu = cpuSeconds(serverPid)
const start = performance.now()
await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1_000))
measuring = false
const elapsed = (performance.now() - start) / 1_000
const used = process.cpuUsage(cpu)
const serverUsed = cpuSeconds(serverPid)
stopping = true

latencies.sort((a, b) => a - b)
const usPerMessage = (from?: number, to?: number) =>
  from === undefined || to === undefined ? undefined : Number((((to - from) * 1e6) / counted.acknowledged).toFixed(2))
const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN
process.stdout.write(
  `${JSON.stringify({
    acknowledged: Math.round(counted.acknowledged / elapsed),
    delivered: Math.round(counted.delivered / elapsed),
    p50: at(0.5),
    p99: at(0.99),
    serverCpuUs: usPerMessage(serverCpu?.process, serverUsed?.process),
    serverMainThreadUs: usPerMessage(serverCpu?.mainThread, serverUsed?.mainThread),
    generatorCores: (used.user + used.system) / 1e6 / elapsed,
  })}\n`,
)
process.exit(0)
