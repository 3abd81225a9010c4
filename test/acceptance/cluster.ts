import { createDisposables } from '../../server/disposables.ts'
import { startProcess } from '../harness/process.ts'
import { startRedis, type TestRedis } from '../harness/redis.ts'
import { startSecantus, type TestDatabase } from '../harness/secantus.ts'
import { type Balancer, startBalancer } from './balancer.ts'

type NodeProcess = Awaited<ReturnType<typeof startProcess>>

/** Several nodes, each a process; Redis; the database; and what stands before the nodes. */
export interface Cluster extends AsyncDisposable {
  database: TestDatabase
  redis: TestRedis
  balancer: Balancer
  nodes: number
  /** SIGKILL: it says nothing to anybody. SIGTERM: it drains, and ends in good order. */
  stopNode(index: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  /** As a supervisor does: until it runs, also where its database is away. */
  startNode(index: number): Promise<void>
}

export const startCluster = async (nodes: number, secantusd: string, random: () => number): Promise<Cluster> => {
  const opened = createDisposables()
  try {
    const database = await startSecantus(secantusd)
    opened.defer(() => database[Symbol.asyncDispose]())
    const redis = await startRedis()
    opened.defer(() => redis[Symbol.asyncDispose]())
    const balancer = await startBalancer(random)
    opened.defer(() => balancer[Symbol.asyncDispose]())
    const running: (NodeProcess | null)[] = Array.from({ length: nodes }, () => null)
    let isOver = false
    opened.defer(async () => {
      isOver = true
      for (const node of running) await node?.[Symbol.asyncDispose]()
    })

    const serve = () => balancer.serve(running.flatMap((node) => (node ? [Number(new URL(node.url).port)] : [])))
    const startNode = async (index: number): Promise<void> => {
      const environment = { MONGODB_URI: database.uri, REDIS_URL: redis.url, LOG_LEVEL: 'fatal' }
      const node = await startProcess(environment).catch(() => null)
      if (isOver) await node?.[Symbol.asyncDispose]()
      else if (!node) await startNode(index)
      else {
        running[index] = node
        serve()
      }
    }
    await Promise.all(running.map((_, index) => startNode(index)))

    return {
      database,
      redis,
      balancer,
      nodes,
      async stopNode(index, signal) {
        const node = running[index]
        running[index] = null
        serve()
        await node?.stop(signal)
      },
      startNode,
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    }
  } catch (error) {
    await opened[Symbol.asyncDispose]()
    throw error
  }
}
