import { type Joined, joinNodes } from '../../server/bus/redis/join.ts'
import type { ChannelTimes } from '../../server/bus/redis/peers.ts'
import { systemClock } from '../../server/clock.ts'
import { createDisposables } from '../../server/disposables.ts'
import type { Clock, Log, NodeStore } from '../../server/domain/ports.ts'
import { startRedis, type TestRedis } from './redis.ts'

/** For a clock that is moved on by hand: nobody counts as silent. */
export const patient = { silentMs: 1e12, leaseMs: 1e12, stuckMs: 1e12 }

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** What nodes ask of a store, and nothing else of it. */
export const memoryNodes = (storeId = 'test'): NodeStore => {
  const nodes = new Map<string, Date>()
  return {
    storeId: async () => storeId,
    endedSessions: async () => [],
    keepNode: async (node, at) => void nodes.set(node, at),
    removeNode: async (node) => void nodes.delete(node),
    nodesSince: async (since) => Array.from(nodes).flatMap(([node, at]) => (at >= since ? [node] : [])),
  }
}

/** Nodes without an app around them: what joins them, on a Redis of their own. */
export const joinSome = async (
  count: number,
  { clock = systemClock, times = {} }: { clock?: Clock; times?: Partial<ChannelTimes> } = {},
): Promise<{ nodes: Joined[]; redis: TestRedis } & AsyncDisposable> => {
  const opened = createDisposables()
  const redis = await startRedis()
  opened.defer(() => redis[Symbol.asyncDispose]())
  const store = memoryNodes()
  const nodes: Joined[] = []
  for (let n = 0; n < count; n++) {
    const node = await joinNodes({ url: redis.url, store, clock, log: silent, times })
    opened.defer(node.close)
    nodes.push(node)
  }
  return { nodes, redis, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() }
}
