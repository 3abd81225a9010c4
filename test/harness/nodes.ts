import type { Store } from '../../server/domain/ports.ts'
import { versionsPerMs } from '../../server/domain/version-time.ts'
import { openMongoStore } from '../../server/store/mongo/open.ts'
import { openSqliteStore } from '../../server/store/sqlite/open.ts'
import { temporaryDirectory } from './directory.ts'
import { temporaryDatabase } from './mongo.ts'
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

/** What all nodes write to. */
export interface SharedStore extends AsyncDisposable {
  /** As one node has it; that node closes it. */
  open(): Promise<Store>
}

/**
 * So many versions before the one that is asked for are read again, as a store with many writers has to: two nodes hear of
 * each other's changes in another order than that of the versions.
 */
const overlap = 10_000 * versionsPerMs

export const sharedSqlite = async (): Promise<SharedStore> => {
  const directory = await temporaryDirectory()
  const store = await openSqliteStore({ directory: directory.path })
  return {
    open: async () => ({ ...store, overlap, close: async () => {} }),
    async [Symbol.asyncDispose]() {
      await store.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}

/** @param server the URI of a MongoDB for tests */
export const sharedMongo = async (server: string): Promise<SharedStore> => {
  const database = temporaryDatabase(server)
  return { open: () => openMongoStore({ uri: database.uri }), [Symbol.asyncDispose]: database.drop }
}

export interface NodesOptions extends WorldOptions {
  openShared?: () => Promise<SharedStore>
}

/** Several nodes, joined by a real Redis, on one store that all of them write to. */
export const startNodes = async (
  count: number,
  { openShared = sharedSqlite, ...options }: NodesOptions = {},
): Promise<Nodes> => {
  const shared = await openShared()
  const redis = await startRedis()
  const nodes: TestNode[] = []
  const another = async () => {
    const node = await startNode(shared, redis, options)
    nodes.push(node)
    return node
  }
  for (let n = 0; n < count; n++) await another()
  return {
    redis,
    nodes: nodes as NodeList,
    another,
    stranger: () => startWorld({ ...options, config: { ...options.config, redisUrl: redis.url } }),
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]()
      await redis[Symbol.asyncDispose]()
      await shared[Symbol.asyncDispose]()
    },
  }
}

const startNode = async (shared: SharedStore, redis: TestRedis, options: WorldOptions): Promise<TestNode> => {
  const toRedis = await startNetwork(redis.url)
  let isDead = false
  /** What is dead keeps nothing up, and does not sign off. */
  const mortal = (store: Store): Store => ({
    ...store,
    removeNode: async (node) => (isDead ? undefined : store.removeNode(node)),
    keepNode: async (node, at) => (isDead ? undefined : store.keepNode(node, at)),
  })
  const world = await startWorld({
    openStore: async () => mortal(await shared.open()),
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
