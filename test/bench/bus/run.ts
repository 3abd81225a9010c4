import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { startRedis } from '../../harness/redis.ts'

/**
 * What a message costs on its way through Redis, in processor time: on a channel for each user, and on one channel for
 * all nodes with what one turn of the event loop brought in one batch.
 * `npm run build && node dist/test/bench/bus/run.js [seconds]`
 */
const seconds = process.argv[2] ?? '5'
const program = fileURLToPath(new URL('./node.js', import.meta.url))
interface Counted {
  role: string
  count: number
  cpuUs: number
}
const say = (line: string) => process.stdout.write(`${line}\n`)
const counted = async (child: ChildProcess): Promise<Counted> => (await once(child, 'message'))[0] as Counted

for (const way of ['user', 'node']) {
  await using server = await startRedis()
  const start = (role: string) => fork(program, [way, role, server.url, seconds])
  const listeners = ['listener', 'bystander'].map(start)
  await Promise.all(listeners.map((child) => once(child, 'message')))
  const redis = new Redis(server.url)
  const redisCpuUs = async () => {
    const info = await redis.info('cpu')
    const [system, user] = [/used_cpu_sys:([\d.]+)/, /used_cpu_user:([\d.]+)/].map((field) =>
      Number(field.exec(info)?.[1]),
    )
    return ((system ?? 0) + (user ?? 0)) * 1e6
  }
  const before = await redisCpuUs()
  const publisher = await counted(start('publisher'))
  await wait(500)
  const serverUs = (await redisCpuUs()) - before
  const others = listeners.map(counted)
  for (const child of listeners) child.send('stop')
  const perMessage = (us: number) => `${(us / publisher.count).toFixed(2)} us`
  say(`\none channel for each ${way}: ${Math.round(publisher.count / Number(seconds))} messages/s`)
  say(`  redis-server ${perMessage(serverUs)}, publisher ${perMessage(publisher.cpuUs)}`)
  for (const { role, count, cpuUs } of await Promise.all(others)) say(`  ${role} ${perMessage(cpuUs)}, heard ${count}`)
  redis.disconnect()
}
