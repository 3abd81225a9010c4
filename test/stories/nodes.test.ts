import { describe } from 'vitest'
import { sharedSqlite } from '../harness/nodes.ts'
import { redisIsInstalled } from '../harness/redis.ts'
import { storiesOfNodes } from './nodes.ts'

describe.skipIf(!redisIsInstalled)('two nodes and more (skipped where redis-server is not installed)', () => {
  storiesOfNodes(sharedSqlite)
})
