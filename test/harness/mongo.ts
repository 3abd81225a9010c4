import { randomUUID } from 'node:crypto'
import { Mongoose } from 'mongoose'

/** A MongoDB for tests, or why there is none. */
export type TestMongo = { uri: string; missing: null } | { uri: null; missing: string }

/**
 * `MONGODB_TEST_URI`; else a `mongod` that is on this machine, started as a replica set; else, where
 * `MONGODB_TEST_DOWNLOAD=1` allows it, one that is downloaded once. Never a download that nobody asked for: it would take
 * long, and for ever where there is no network.
 */
export const findTestMongo = async (): Promise<TestMongo> => {
  const found = await find()
  if (found.missing !== null && process.env.REQUIRE_SERVICES === '1')
    throw new Error(`There is no MongoDB for tests, and REQUIRE_SERVICES=1 asks for it: ${found.missing}`)
  return found
}

const find = async (): Promise<TestMongo> => {
  const given = process.env.MONGODB_TEST_URI
  if (given) return { uri: given, missing: null }
  const { DryMongoBinary, MongoMemoryReplSet } = await import('mongodb-memory-server-core')
  const present = await DryMongoBinary.locateBinary(await DryMongoBinary.generateOptions()).catch(() => undefined)
  if (present === undefined && process.env.MONGODB_TEST_DOWNLOAD !== '1')
    return {
      uri: null,
      missing: 'set MONGODB_TEST_URI, or MONGOMS_SYSTEM_BINARY to a mongod, or MONGODB_TEST_DOWNLOAD=1 to download one',
    }
  // Its processes end with this one.
  const server = await MongoMemoryReplSet.create({ replSet: { count: 1, storageEngine: 'wiredTiger' } })
  return { uri: server.getUri(), missing: null }
}

/** A database of its own there, gone when it is closed. */
export const temporaryDatabase = (server: string): { uri: string; drop(): Promise<void> } => {
  const url = new URL(server)
  url.pathname = `/parley-test-${randomUUID()}`
  return {
    uri: url.href,
    async drop() {
      const connection = await new Mongoose().createConnection(url.href).asPromise()
      await connection.dropDatabase()
      await connection.close()
    },
  }
}
