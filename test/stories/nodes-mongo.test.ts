import { describe } from 'vitest'
import { findTestMongo } from '../harness/mongo.ts'
import { sharedMongo } from '../harness/nodes.ts'
import { redisIsInstalled } from '../harness/redis.ts'
import { storiesOfNodes } from './nodes.ts'

const { uri, missing: noMongo } = await findTestMongo()
const missing = noMongo ?? (redisIsInstalled ? null : 'redis-server is not installed')

describe.skipIf(missing)(`two nodes and more on MongoDB${missing ? ` (skipped: ${missing})` : ''}`, () => {
  storiesOfNodes(() => sharedMongo(uri as string))
})
