import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Mongoose } from 'mongoose'
import { describe, expect, test } from 'vitest'
import { clockDifferenceMaxMs } from '../../server/store/mongo/limits.ts'
import { openMongoStore } from '../../server/store/mongo/open.ts'
import { startHeldNetwork } from '../harness/held-network.ts'
import { findTestMongo, temporaryDatabase } from '../harness/mongo.ts'
import { failToStart, startProcess } from '../harness/process.ts'

const { uri: server, missing } = await findTestMongo()

/** One sentence or two on what to do: no stack trace, no log line, nothing of the password. */
const expectPlain = async (uri: string, words: string) => {
  const { code, output } = await failToStart({ MONGODB_URI: uri })
  expect(output).toContain(words)
  expect(output).not.toMatch(/s3cret|\n {4}at |^\{/)
  expect(output.trimEnd().split('\n').length).toBeLessThanOrEqual(2)
  expect(code).toBe(1)
}

describe('a start without MongoDB ends with 1 and says why', () => {
  test.concurrent.each([
    ['another address', 'http://ada:s3cret@127.0.0.1', 'MONGODB_URI=...: an address such as mongodb://'],
    [
      'an option that there is not',
      'mongodb://ada:s3cret@127.0.0.1/parley?retires=3',
      'option retires is not supported',
    ],
    ['a password that is not encoded', 'mongodb://ada:s3cret/%@127.0.0.1/parley', 'MONGODB_URI cannot be read'],
    ['a host that nobody knows', 'mongodb://ada:s3cret@nowhere.invalid/parley', 'nowhere.invalid is not a known name'],
  ])('%s', (_, uri, words) => expectPlain(uri, words))

  test.concurrent('nobody listens there', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await once(closed, 'close')
    await expectPlain(`mongodb://ada:s3cret@127.0.0.1:${port}/parley`, `No MongoDB answers at 127.0.0.1:${port}`)
  })

  test.concurrent('somebody listens there and says nothing', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    await expectPlain(`mongodb://ada:s3cret@127.0.0.1:${port}/parley`, 'none answered within 5 s as the primary')
    silent.close()
  })
})

describe.skipIf(missing)(`a start on MongoDB${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const database = temporaryDatabase(server ?? 'mongodb://127.0.0.1')

  test('with wrong credentials is refused in plain words', async () => {
    await expectPlain(
      database.uri.replace('mongodb://', 'mongodb://ada:s3cret@'),
      'does not know the name or the password',
    )
  })

  test('on what a newer Parley wrote, or what somebody else made, is refused in plain words', async () => {
    const connection = await new Mongoose().createConnection(database.uri).asPromise()
    await connection.collection('messages').insertOne({ whose: 'not ours' })
    await expectPlain(database.uri, 'has collections that Parley did not make (messages)')
    await connection.dropDatabase()
    const store = await openMongoStore({ uri: database.uri })
    await store.close()
    await connection.collection('meta').updateOne({}, { $set: { version: 999 } })
    await expectPlain(database.uri, 'has schema 999; this Parley knows schemas up to 2')
    await connection.dropDatabase()
    await connection.close()
  })

  test('an index that only looks like ours, or a URI that asks for less than durable, is refused with what to do', async () => {
    await (await openMongoStore({ uri: database.uri })).close()
    const connection = await new Mongoose().createConnection(database.uri).asPromise()
    const messages = connection.collection('messages')
    await messages.dropIndex('message_by_seq')
    await messages.createIndex({ conversationId: 1, seq: 1 }, { name: 'message_by_seq' })
    await expectPlain(
      database.uri,
      'The index message_by_seq of messages is not the one that Parley needs. Drop it with ' +
        "db.messages.dropIndex('message_by_seq'), make it with db.messages.createIndex(" +
        '{"conversationId":1,"seq":1}, {"name":"message_by_seq","unique":true}), and start again.',
    )
    await messages.dropIndex('message_by_seq')
    await messages.createIndex({ conversationId: 1, seq: 1 }, { unique: true })
    await expectPlain(database.uri, "dropIndex('conversationId_1_seq_1')")
    await connection.dropDatabase()
    await connection.close()
    await expectPlain(`${database.uri}?journal=false`, 'remove w, j, journal and retryWrites from it')
  })

  test.each([
    ['ahead of', 1],
    ['behind', -1],
  ])('with a clock %s the database’s is refused in plain words', async (words, sign) => {
    const off = () => Date.now() + sign * (clockDifferenceMaxMs + 1_000)
    await expect(openMongoStore({ uri: database.uri, now: off })).rejects.toThrow(
      new RegExp(`^The clock of this machine is \\d\\.\\d s ${words} the database's; .* time server`),
    )
    const close = () => Date.now() + sign * (clockDifferenceMaxMs - 500)
    await (await openMongoStore({ uri: database.uri, now: close })).close()
    await database.drop()
  })

  test('a database that goes away later: readyz says so, and that it is back; the process goes on', async () => {
    const { port, pathname } = new URL(database.uri)
    await using network = await startHeldNetwork(Number(port))
    const uri = `mongodb://127.0.0.1:${network.port}${pathname}?directConnection=true`
    await using app = await startProcess({ MONGODB_URI: uri })
    const ready = async () => {
      const response = await fetch(`${app.url}/readyz`)
      return { status: response.status, body: await response.json() }
    }
    // A database that all tests work at may well be late once.
    await expect.poll(ready).toEqual({ status: 200, body: { status: 'ready' } })
    network.cut()
    // It is asked for once a second at most.
    await expect.poll(ready).toEqual({
      status: 503,
      body: { status: 'not ready', reason: 'The store cannot be reached.' },
    })
    expect((await fetch(`${app.url}/healthz`)).status).toBe(200)
    network.restore()
    await expect.poll(async () => (await ready()).status, { timeout: 15_000 }).toBe(200)
    expect(await app.stop('SIGTERM')).toBe(0)
    await database.drop()
  })
})
