import { setTimeout as pause } from 'node:timers/promises'
import type { AcceptanceOptions } from './acceptance.ts'
import type { Cluster } from './cluster.ts'

const restartMs = 2_000
const cutEveryMs = 3_000
const cutShare = 0.15

/** What befalls a cluster while people talk, one after the other, spread over the run; and connections are cut all along. */
export const startFaults = (
  cluster: Cluster,
  { seconds, outageMs, say }: Pick<AcceptanceOptions, 'seconds' | 'outageMs' | 'say'>,
) => {
  const start = performance.now()
  const lengthMs = seconds * 1_000
  const firstAt = start + lengthMs * 0.15
  const tell = (words: string) => say(`${((performance.now() - start) / 1_000).toFixed(1)} s: ${words}`)
  let cuts = 0
  let lastDeathAt = start
  let isOver = false

  const restart = async (index: number, signal: 'SIGKILL' | 'SIGTERM') => {
    tell(`node ${index + 1} gets ${signal}`)
    if (signal === 'SIGKILL') lastDeathAt = performance.now()
    await cluster.stopNode(index, signal)
    await pause(Math.min(restartMs, outageMs))
    await cluster.startNode(index)
    tell(`node ${index + 1} is back`)
  }
  const outage = async (name: string, stop: () => Promise<void>, begin: () => Promise<void>) => {
    tell(`${name} is stopped`)
    await stop()
    await pause(outageMs)
    await begin()
    tell(`${name} is back`)
  }
  const { redis, database, nodes } = cluster
  const plan: [share: number, fault: () => Promise<unknown>][] = [
    [0.15, () => restart(0, 'SIGKILL')],
    [0.3, () => outage('Redis', redis.stop, redis.start)],
    [0.5, () => outage('the database', database.kill, database.start)],
    [0.7, () => restart(1 % nodes, 'SIGTERM')],
    // All but one.
    [0.85, () => Promise.all(Array.from({ length: nodes - 1 }, (_, i) => restart(i + 1, 'SIGKILL')))],
  ]
  const strike = async () => {
    for (const [share, fault] of plan) {
      await pause(Math.max(0, start + share * lengthMs - performance.now()))
      await fault()
    }
    isOver = true
  }
  const cut = async () => {
    await pause(firstAt - start)
    while (!isOver) {
      cuts += cluster.balancer.cut(cutShare)
      await pause(Math.min(cutEveryMs, outageMs))
    }
  }
  return { firstAt, cuts: () => cuts, lastDeathAt: () => lastDeathAt, done: Promise.all([strike(), cut()]) }
}
