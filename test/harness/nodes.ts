import type { Store } from '../../server/domain/ports.ts'
import { openSqliteStore } from '../../server/store/sqlite/open.ts'
import { temporaryDirectory } from './directory.ts'
import { type Network, startNetwork } from './network.ts'
import { startRedis, type TestRedis } from './redis.ts'
import { startWorld, type World, type WorldOptions } from './world.ts'

/** One node of several: the real app, behind a network of its own to Redis. */
export interface TestNode extends World {
  /** Between this node and Redis. */
  toRedis: Network
  /** Ends without a word to the others, as a process that is killed. */
  die(): Promise<void>
}

/** As many as were asked for; a test names those that it has. */
type NodeList = [TestNode, TestNode, TestNode, ...TestNode[]]

export interface Nodes extends AsyncDisposable {
  redis: TestRedis
  nodes: NodeList
  /** One more, on the same store. */
  another(): Promise<TestNode>
  /** A node of another store, on the same Redis. */
  stranger(): Promise<World>
}

/**
 * So many versions before the one that is asked for are read again, as a store with many writers has to: two nodes hear of
 * each other's changes in another order than that of the versions.
 */
const overlap = 50

/** Several nodes, joined by a real Redis, on one store that all of them write to. */
export const startNodes = async (count: number, options: WorldOptions = {}): Promise<Nodes> => {
  const directory = await temporaryDirectory()
  const store = await openSqliteStore({ directory: directory.path })
  const redis = await startRedis()
  const nodes: TestNode[] = []
  for (let n = 0; n < count; n++) nodes.push(await startNode(store, redis, options))
  return {
    redis,
    nodes: nodes as NodeList,
    async another() {
      const node = await startNode(store, redis, options)
      nodes.push(node)
      return node
    },
    stranger: () => startWorld({ ...options, config: { ...options.config, redisUrl: redis.url } }),
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]()
      await redis[Symbol.asyncDispose]()
      await store.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}

const startNode = async (store: Store, redis: TestRedis, options: WorldOptions): Promise<TestNode> => {
  const toRedis = await startNetwork(redis.url)
  let isDead = false
  const shared: Store = {
    ...store,
    overlap,
    removeNode: async (node) => (isDead ? undefined : store.removeNode(node)),
    keepNode: async (node, at) => (isDead ? undefined : store.keepNode(node, at)),
    close: async () => {},
  }
  const world = await startWorld({
    openStore: async () => shared,
    ...options,
    config: { ...options.config, redisUrl: toRedis.url.replace('http', 'redis') },
  })
  let closed: Promise<void> | null = null
  const closeBoth = async () => {
    await world[Symbol.asyncDispose]()
    await toRedis[Symbol.asyncDispose]()
  }
  const close = () => {
    closed ??= closeBoth()
    return closed
  }
  return Object.assign(Object.create(world) as World, {
    toRedis,
    async die() {
      isDead = true
      toRedis.cut()
      await close()
    },
    [Symbol.asyncDispose]: close,
  })
}
